"""`reconciler lock`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from reconciler.cli.common import AddressType, color_option, failures, output_option
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import locking, sessions
from reconciler.pipeline.locking import Change, Fate, Locked, Mode
from reconciler.report.machine import diagnostic_list, document
from reconciler.report.summary import plain
from reconciler.state.address import Address, Kind
from reconciler.state.canonical import JsonObject

_WORDS: Final = {
    Fate.MADE: "made",
    Fate.KEPT: "as it was",
    Fate.UPDATED: "updated",
    Fate.DIFFERS: "would be another one now",
    Fate.OUTDATED: "out of date",
}


_LOCKED: Final = AddressType(
    {Kind.ROWS, Kind.RUN}, "has no lock: write rows/NAME or run/MODEL/NAME"
)


@click.command("lock")
@click.argument("addresses", nargs=-1, type=_LOCKED, metavar="[ADDRESS]...")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit with 2 when a lock would be another one now.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Ask again what locks must hold, and say what changed.",
)
@output_option
@color_option
def command(
    addresses: tuple[Address, ...],
    output: str,
    *,
    check: bool,
    update: bool,
    color: bool | None,
) -> int:
    """Write down which rows and labels the manifests mean.

    A DataRows with `select`, and labels of a run by `project`, mean something else
    whenever the remote changes. This asks the remote and writes what it says into
    locks, which are committed; plans read only those. Locks that are there stay as
    they are, unless --update is given.

    ADDRESS is rows/NAME or run/MODEL/NAME; all of the workspace unless given.
    """
    if check and update:
        raise click.UsageError("--check and --update exclude each other")
    mode = Mode.CHECK if check else Mode.UPDATE if update else Mode.MISSING
    with failures("lock", output=output, color=color) as settings:
        specification, locks = locking.specify_to_lock(Path())
        for address in addresses:
            if address not in locks.wanted:
                raise click.UsageError(f"{address}: the manifests want no lock for it")
        asked = locking.due(locks, only=addresses, mode=mode)
        found = [*locking.unresolved(asked)]
        if any(each.resolve for each in asked):
            with sessions.open_session(
                specification, settings, read_only=True
            ) as session:
                found += locking.lock(session, specification.desired, asked, mode=mode)
    found.sort(key=lambda one: one.addresses)
    differs = any(one.fate is Fate.DIFFERS for one in found)
    code = Exit.CHANGES if differs else Exit.DONE
    if output == "json":
        listed = [_fields(one) for one in found]
        click.echo(document("lock", exit_code=code, mode=mode.value, locks=[*listed]))
    else:
        for line in _lines(found, mode):
            click.echo(plain(line))
    return code


def _lines(found: Sequence[Locked], mode: Mode) -> Iterator[str]:
    if not found:
        yield "Nothing to lock: no rows are selected, and no labels are of a project."
    for one in found:
        yield f"{one.name}: {_WORDS[one.fate]}{_size(one)}"
        if one.change:
            yield f"  {_sums(one.change)}"
            yield from (f"    {sample}" for sample in one.change.samples)
        if one.problem:
            yield f"  {one.problem.message} [{one.problem.code}]"
        if one.fate in (Fate.OUTDATED, Fate.DIFFERS):
            yield f"  to replace it: reconciler lock --update {one.addresses[0]}"
        if one.digest:
            verb = "will have to say" if mode is Mode.CHECK else "must say"
            yield f"  the manifest of {one.addresses[0]} {verb}: digest: {one.digest}"


def _size(one: Locked) -> str:
    return "" if one.rows is None else f", {counted(one.rows, 'row')}"


def _sums(change: Change) -> str:
    return f"{change.added:,} added, {change.removed:,} removed, {change.changed:,} changed"


def _fields(one: Locked) -> JsonObject:
    change: JsonObject | None = None
    if one.change is not None:
        change = {
            "added": one.change.added,
            "removed": one.change.removed,
            "changed": one.change.changed,
            "samples": [*one.change.samples],
        }
    return {
        "addresses": [str(address) for address in one.addresses],
        "lock": one.name,
        "fate": one.fate.value,
        "rows": one.rows,
        "change": change,
        "problem": diagnostic_list([one.problem])[0] if one.problem else None,
        "digest": one.digest,
    }

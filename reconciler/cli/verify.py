"""`reconciler verify`."""

from collections.abc import Iterator
from pathlib import Path

import click

from reconciler.annotations.digests import RowDifference, Side
from reconciler.cli.common import color_option, failures, output_option
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import sessions, verifying, workspaces
from reconciler.pipeline.bundle_file import read_bundle
from reconciler.pipeline.verifying import Verification
from reconciler.report.machine import document, field_entry
from reconciler.report.summary import dotted, plain, shown
from reconciler.settings import Settings
from reconciler.state.address import Address, Kind
from reconciler.state.canonical import JsonValue


@click.command("verify")
@click.argument("what", metavar="(DIR | run/MODEL/NAME)")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Workspace whose remote is asked about the run of DIR; default: DIR itself.",
)
@output_option
@color_option
def command(
    what: str, workspace: Path | None, output: str, *, color: bool | None
) -> int:
    """Compare all of a run with a folder that was exported, or what is declared.

    DIR is a folder that `reconciler export` made: its files are compared with
    what they were, and the run on the remote with the digests of config,
    ontology, members, splits, labels, predictions, metrics and status. For a
    run of this workspace, all that is declared of it is compared.

    Masks are compared by feature and class, not by pixels. Nothing is changed.

    Exits with 0 if all is the same, and with 2 if anything differs.
    """
    with failures("verify", output=output, color=color) as settings:
        address = _run(what)
        if address is None:
            done = _bundle(Path(what), workspace, settings)
        elif workspace is not None:
            raise click.UsageError("--workspace goes with DIR only")
        else:
            specification = workspaces.specify(Path())
            with sessions.open_session(
                specification, settings, read_only=True
            ) as session:
                done = verifying.verify_run(session, address)
    code = Exit.DONE if done else Exit.CHANGES
    if output == "json":
        click.echo(document("verify", exit_code=code, **_fields(done)))
    else:
        click.echo("".join(f"{plain(line)}\n" for line in _lines(done)), nl=False)
    return code


def _run(what: str) -> Address | None:
    try:
        address = Address.parse(what)
    except ValueError:
        return None
    return address if address.kind is Kind.RUN and not Path(what).exists() else None


def _bundle(folder: Path, workspace: Path | None, settings: Settings) -> Verification:
    bundle = read_bundle(folder)
    specification = workspaces.specify_remote(workspace or folder)
    with sessions.open_session(specification, settings, read_only=True) as session:
        return verifying.verify_bundle(session, folder, bundle)


def _lines(done: Verification) -> Iterator[str]:
    for file in done.files:
        yield f"  {file.name} is {file.how}"
    if done:
        yield f"The same: {', '.join(done.compared)} of {done.address}."
        return
    differing = {one.part: one for one in done.differences}
    for part in done.compared:
        if part in differing:
            one = differing[part]
            yield f"  {part}: {one.found}, and should be {one.expected}"
            for field in one.fields:
                values = f"{shown(field.before)} -> {shown(field.after)}"
                yield f"    {dotted(field)}: {values}"
    for row in done.rows:
        yield f"  data row {row.row}: {_row_words(row)}"
    if done.row_count > len(done.rows):
        yield f"  and {counted(done.row_count - len(done.rows), 'more data row')}"
    if differing:
        yield f"Different: {', '.join(differing)} of {done.address}."
    else:
        yield f"{done.address} is the same, but files are not."


def _row_words(row: RowDifference) -> str:
    match row.only:
        case Side.DECLARED:
            return "gone from the run"
        case Side.RUN:
            return "not in what is declared"
        case None:
            return f"other {', '.join(row.parts)}"


def _fields(done: Verification) -> dict[str, JsonValue]:
    return {
        "address": str(done.address),
        "same": bool(done),
        "compared": [part.value for part in done.compared],
        "differences": [
            {
                "part": one.part.value,
                "expected": one.expected,
                "found": one.found,
                "fields": [field_entry(field) for field in one.fields],
            }
            for one in done.differences
        ],
        "rows": {
            "count": done.row_count,
            "samples": [
                {
                    "row": one.row,
                    "parts": [part.value for part in one.parts],
                    "only": one.only and one.only.value,
                }
                for one in done.rows
            ],
        },
        "files": [{"name": one.name, "how": one.how} for one in done.files],
    }

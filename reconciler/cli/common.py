"""What commands share: options, settings, and how a failure is shown."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ledger.lines import LedgerError
from reconciler.pipeline import workspaces
from reconciler.plan.guards import Allowance, Guard
from reconciler.ports import RemoteError
from reconciler.report.diagnostics import render_diagnostics
from reconciler.report.machine import diagnostic_list, document
from reconciler.settings import Settings, read_settings
from reconciler.state.address import Address, Kind

path_argument: Final = click.argument(
    "path", default=".", type=click.Path(path_type=Path)
)
"""Where the workspace is, or what of it to look at."""

MANIFESTS: Final = (".yaml", ".yml")
"""Endings of files that are manifests, and never saved plans."""

color_option: Final = click.option(
    "--color/--no-color",
    default=None,
    help="Use colour; default: on a terminal, unless NO_COLOR is set.",
)


output_option: Final = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)


class AddressType(click.ParamType[Address]):
    """An address on the command line.

    Args:
        kinds: What it may be the address of.
        advice: What to say of any other one.
    """

    name = "address"

    def __init__(self, kinds: Collection[Kind], advice: str) -> None:
        self._kinds = kinds
        self._advice = advice

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Address:
        """Read the address, or refuse it as bad usage."""
        try:
            address = Address.parse(str(value))
        except ValueError as error:
            if str(value).partition("/")[0] in self._kinds:
                self.fail(str(error), param, ctx)
            forms = " or ".join(
                "run/MODEL/NAME" if kind is Kind.RUN else f"{kind}/NAME"
                for kind in sorted(self._kinds)
            )
            self.fail(f"{value!r} is no address: write it as {forms}", param, ctx)
        if address.kind not in self._kinds:
            self.fail(f"{address} {self._advice}", param, ctx)
        return address


RUN: Final = AddressType({Kind.RUN}, "is no run: write it as run/MODEL/NAME")
"""The address of a run on the command line."""


def use_color(chosen: bool | None, settings: Settings, *, err: bool) -> bool:  # noqa: FBT001  # click's value
    """Decide on colour: the option, then the environment, then the terminal."""
    if chosen is not None:
        return chosen
    if settings.color is not None:
        return settings.color
    stream = sys.stderr if err else sys.stdout
    return stream.isatty()


allow_remove_option: Final = click.option(
    "--allow-remove",
    "removable",
    type=RUN,
    multiple=True,
    metavar="ADDRESS",
    help="Let rows leave this run, however many; may be repeated.",
)
"""Which runs may lose rows beyond the guard's thresholds."""

allow_change_option: Final = click.option(
    "--allow-change",
    "changeable",
    type=RUN,
    multiple=True,
    metavar="ADDRESS",
    help="Let this run change although it is COMPLETE; may be repeated.",
)
"""Which runs may change after what they tell of has come to its end."""


def allowances(
    specification: workspaces.Specification,
    *,
    removable: Iterable[Address],
    changeable: Iterable[Address],
) -> tuple[Allowance, ...]:
    """Say what is allowed; of runs of the workspace only, or it is refused."""
    asked = [
        *(Allowance(Guard.ROWS_REMOVED, address) for address in removable),
        *(Allowance(Guard.RUN_COMPLETE, address) for address in changeable),
    ]
    for one in asked:
        if one.address not in specification.desired.resources:
            raise click.UsageError(
                f"{one.guard.option} {one.address}: the manifests declare no such run"
            )
    return tuple(asked)


@contextmanager
def failures(command: str, *, output: str, color: bool | None) -> Iterator[Settings]:
    """Show what goes wrong inside, in the form asked for, and exit with 1.

    Gives the settings, so that what is wrong with those is shown like the rest.
    Problems of the input and of the remote end here; anything else is a bug
    and keeps its traceback.
    """
    settings = Settings()
    try:
        settings = read_settings()
        yield settings
    except BrokenPipeError:
        raise  # whoever read our output has left; see `main.run`
    except (InputError, RemoteError, LedgerError, OSError) as error:
        found = _diagnostics(error)
        if output == "json":
            errors = diagnostic_list(found)
            click.echo(document(command, exit_code=Exit.ERROR, errors=errors))
        else:
            painted = use_color(color, settings, err=True)
            click.echo(render_diagnostics(found, color=painted), err=True, nl=False)
        raise click.exceptions.Exit(Exit.ERROR) from error


def _diagnostics(
    error: InputError | RemoteError | LedgerError | OSError,
) -> Sequence[Diagnostic]:
    match error:
        case InputError():
            return error.diagnostics
        case RemoteError():
            return [
                Diagnostic(
                    code=remote_code(type(error)), message=str(error), hint=error.hint
                )
            ]
        case LedgerError():
            return [Diagnostic(code="file-system", message=str(error))]
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            said = f"{where}{error.strerror or error}"
            return [Diagnostic(code="file-system", message=said)]


def remote_code(kind: type[RemoteError]) -> str:
    """Name a kind of error as diagnostics do: `in-doubt` for `InDoubt`."""
    words = "".join(f"-{c.lower()}" if c.isupper() else c for c in kind.__name__)
    return words.lstrip("-")

"""What commands share: options, settings, and how a failure is shown."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ports import RemoteError
from reconciler.report.diagnostics import render_diagnostics
from reconciler.report.machine import diagnostic_list, document
from reconciler.settings import Settings, SettingsError, read_settings
from reconciler.state.address import Address

path_argument: Final = click.argument(
    "path", default=".", type=click.Path(path_type=Path)
)
"""Where the workspace is, or what of it to look at."""

color_option: Final = click.option(
    "--color/--no-color",
    default=None,
    help="Use colour; default: on a terminal, unless NO_COLOR is set.",
)


class AddressType(click.ParamType[Address]):
    """An address on the command line."""

    name = "address"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Address:
        """Read an address, or refuse it as bad usage."""
        try:
            return Address.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def settings_of() -> Settings:
    """Read the environment, or end the command with what is wrong with it."""
    try:
        return read_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def use_color(chosen: bool | None, settings: Settings, *, err: bool) -> bool:  # noqa: FBT001  # click's value
    """Decide on colour: the option, then the environment, then the terminal."""
    if chosen is not None:
        return chosen
    if settings.color is not None:
        return settings.color
    stream = sys.stderr if err else sys.stdout
    return stream.isatty()


@contextmanager
def failures(command: str, *, output: str, color: bool) -> Iterator[None]:
    """Show what goes wrong inside, in the form asked for, and exit with 1.

    Problems of the input and of the remote end here; anything else is a bug
    and keeps its traceback.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has left; see `main.run`
    except (InputError, RemoteError, OSError) as error:
        found = _diagnostics(error)
        if output == "json":
            errors = diagnostic_list(found)
            click.echo(document(command, exit_code=Exit.ERROR, errors=errors))
        else:
            click.echo(render_diagnostics(found, color=color), err=True, nl=False)
        raise click.exceptions.Exit(Exit.ERROR) from error


def _diagnostics(error: InputError | RemoteError | OSError) -> Sequence[Diagnostic]:
    match error:
        case InputError():
            return error.diagnostics
        case RemoteError():
            return [Diagnostic(code=_code(error), message=str(error), hint=error.hint)]
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            said = f"{where}{error.strerror or error}"
            return [Diagnostic(code="file-system", message=said)]


def _code(error: RemoteError) -> str:
    words = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__)
    return words.lstrip("-")

"""Words on a command line to a command, and its end to an exit code.

Commands are imported when they are called: `--version` and `--help` load none
of the libraries that the work needs.
"""

import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from reconciler import __version__
from reconciler.cli.exits import Exit

COMMANDS: Final = {
    "validate": "Check the manifests, without asking any remote.",
    "plan": "Show what would change, and change nothing.",
    "apply": "Make the remote what the manifests say.",
    "lock": "Write down which rows and labels the manifests mean.",
    "adopt": "Write manifests for a model or a run that exists.",
    "export": "Write a run as a folder that it can be made of again.",
    "verify": "Compare all of a run with such a folder, or with what is declared.",
    "schema": "Print the JSON Schema of the manifests, for editors.",
    "serve": "Serve Labelbox's API from a store of your own.",
}
"""Every command with its first line; each has a module of its name."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reconciler.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            advice = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"{error.message}{advice}", ctx) from error

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's
        formatter: click.HelpFormatter,
    ) -> None:
        # click would import every command for its first line.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 error, 2 changes (plan --detailed-exitcode), "
    "3 blocked, 4 stale, 5 partial, 6 not converged, 64 usage, 130/143 stopped.",
)
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Declare model runs on Labelbox, and have them made so.

    Manifests under version control say which models, runs, configs, data rows
    and splits should exist; `plan` shows the difference to what does, and
    `apply` brings it about.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line and say how it ended."""
    try:
        ended = cli.main(args=arguments, prog_name="reconciler", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return Exit.ERROR
    except BrokenPipeError:
        # Like any filter: the reader has seen enough, and that is no error of
        # ours. What Python would still flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    except OSError as error:
        # What concerns files was told where it happened; this is our output.
        click.echo(f"Error: the result can't be written: {error.strerror}", err=True)
        return Exit.ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return Exit.INTERRUPTED
    return ended if isinstance(ended, int) else Exit.DONE


def main() -> NoReturn:
    """Be the program `reconciler`."""
    gc.disable()  # until what has to be loaded is; see `pipeline`
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal can't show is shown as escapes, not as a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_flushed(run()))


def _flushed(code: int) -> int:
    """Write out what is buffered; a result that can't be written is an error.

    Python would end with 120 for either stream, also when all was done and only
    the log went nowhere.
    """
    for stream, matters in ((sys.stderr, False), (sys.stdout, True)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or (Exit.ERROR if matters else code)
    return code

"""`reconciler validate`."""

from pathlib import Path

import click

from reconciler.cli.common import (
    color_option,
    failures,
    path_argument,
)
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import workspaces
from reconciler.report.machine import document


@click.command("validate")
@path_argument
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@color_option
def command(path: Path, output: str, color: bool | None) -> None:  # noqa: FBT001  # click's value
    """Check the manifests, without asking any remote.

    Reads every manifest and every row file of the workspace that PATH belongs
    to, and reports all problems at once.
    """
    with failures("validate", output=output, color=color):
        specification = workspaces.specify(path)
    desired = specification.desired
    if output == "json":
        click.echo(
            document(
                "validate",
                exit_code=Exit.DONE,
                workspace=specification.workspace.name,
                addresses=[str(address) for address in desired.resources],
            )
        )
        return
    click.echo(
        f"Valid: {counted(len(desired.resources), 'object')} "
        f"in the workspace {specification.workspace.name}."
    )

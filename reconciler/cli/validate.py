"""`reconciler validate`."""

from pathlib import Path

import click

from reconciler.cli.common import (
    color_option,
    failures,
    output_option,
    path_argument,
    use_color,
)
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import workspaces
from reconciler.report.diagnostics import render_warnings
from reconciler.report.expansion import render_runs, run_list
from reconciler.report.machine import diagnostic_list, document
from reconciler.state.canonical import JsonObject


@click.command("validate")
@path_argument
@click.option(
    "--expand",
    is_flag=True,
    help="List every run of PATH, and what it sets in the config that it builds on.",
)
@output_option
@color_option
def command(path: Path, *, expand: bool, output: str, color: bool | None) -> None:
    """Check the manifests, without asking any remote.

    Reads every manifest and every file that they name, of the workspace that PATH
    belongs to, and reports all problems at once. Annotations are checked against
    ontologies that the manifests declare whole.
    """
    with failures("validate", output=output, color=color) as settings:
        specification = workspaces.specify(path)
        workspaces.check_imports(specification)
    desired, selected = specification.desired, specification.selected
    if output == "json":
        runs: JsonObject = {"runs": run_list(desired, selected)} if expand else {}
        click.echo(
            document(
                "validate",
                exit_code=Exit.DONE,
                workspace=specification.workspace.name,
                addresses=[str(address) for address in desired.resources],
                warnings=diagnostic_list(desired.warnings),
                **runs,
            )
        )
        return
    painted = use_color(color, settings, err=True)
    click.echo(render_warnings(desired.warnings, color=painted), err=True, nl=False)
    if expand:
        click.echo(render_runs(desired, selected), nl=False)
    click.echo(
        f"Valid: {counted(len(desired.resources), 'object')} "
        f"in the workspace {specification.workspace.name}."
    )

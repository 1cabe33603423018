"""`reconciler plan`."""

from pathlib import Path

import click

from reconciler.cli.common import (
    MANIFESTS,
    allow_change_option,
    allow_remove_option,
    allowances,
    color_option,
    failures,
    path_argument,
    use_color,
)
from reconciler.cli.exits import Exit
from reconciler.pipeline import planning, sessions, workspaces
from reconciler.plan.build import Plan
from reconciler.plan.codec import save_plan, write_plan
from reconciler.report.machine import document, plan_fields
from reconciler.report.markdown import render_markdown
from reconciler.report.text import render_plan
from reconciler.state.address import Address


@click.command("plan")
@path_argument
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the plan; markdown fits a pull request's comment.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Save the plan for `reconciler apply FILE`.",
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when there are changes.",
)
@allow_remove_option
@allow_change_option
@color_option
def command(
    path: Path,
    output: str,
    out: Path | None,
    removable: tuple[Address, ...],
    changeable: tuple[Address, ...],
    *,
    detailed_exitcode: bool,
    color: bool | None,
) -> int:
    """Show what would change, and change nothing.

    PATH is the workspace, or a folder or file in it to narrow the plan to.
    """
    if out is not None and out.suffix in MANIFESTS:
        raise click.UsageError(f"--out {out}: a name like that is a manifest's")
    with failures("plan", output=output, color=color) as settings:
        specification = workspaces.specify(path)
        allowed = allowances(specification, removable=removable, changeable=changeable)
        with sessions.open_session(specification, settings, read_only=True) as session:
            plan = planning.make_plan(session, allowed=allowed)
        if out is not None:
            saved = save_plan(plan, after=len(session.ledger.carried_out()))
            with out.open("wb") as file:
                write_plan(saved, file)
    code = _exit(plan, detailed=detailed_exitcode)
    match output:
        case "json":
            click.echo(document("plan", exit_code=code, **plan_fields(plan)))
        case "markdown":
            click.echo(render_markdown(plan), nl=False)
        case _:
            painted = use_color(color, settings, err=False)
            click.echo(render_plan(plan, color=painted), nl=False, color=painted)
    return code


def _exit(plan: Plan, *, detailed: bool) -> Exit:
    if plan.blocked:
        return Exit.BLOCKED
    return Exit.CHANGES if plan and detailed else Exit.DONE

"""`reconciler export`."""

from pathlib import Path

import click

from reconciler.cli.common import RUN, color_option, failures, output_option
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import bundles, sessions, workspaces
from reconciler.report.machine import document
from reconciler.report.summary import plain
from reconciler.state.address import Address
from reconciler.state.contents import ExportParams


@click.command("export")
@click.argument("address", type=RUN, metavar="run/MODEL/NAME")
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to make; it must not exist, or be empty.",
)
@click.option(
    "--attachments", is_flag=True, help="Bring along what is shown beside data rows."
)
@click.option(
    "--metadata",
    is_flag=True,
    help="Bring along metadata; where the run is made again, the same fields "
    "must exist.",
)
@click.option(
    "--data-row-details",
    is_flag=True,
    help="Bring along dataset, times and creator of data rows, and keep the names "
    "of datasets; else all data rows are in one of the run's name.",
)
@click.option(
    "--embeddings", is_flag=True, help="Bring vectors along, in export.ndjson only."
)
@click.option(
    "--media",
    is_flag=True,
    help="Fetch the content of data rows, and masks that are pictures of their own; "
    "always done with the embedded server.",
)
@output_option
@color_option
def command(
    address: Address,
    target: Path,
    output: str,
    *,
    attachments: bool,
    metadata: bool,
    data_row_details: bool,
    embeddings: bool,
    media: bool,
    color: bool | None,
) -> None:
    """Write a run as a folder that it can be made of again.

    The folder is a workspace of its own, of the embedded server: `reconciler
    apply DIR` makes the run on it, and `reconciler verify DIR` says whether it
    is the same. Change `remote` in its reconciler.yaml to make it elsewhere.

    The run is one of the remote that the workspace here is for. Nothing on the
    remote is changed.
    """
    wanted = ExportParams(
        attachments=attachments,
        metadata_fields=metadata,
        data_row_details=data_row_details,
        embeddings=embeddings,
    )
    with failures("export", output=output, color=color) as settings:
        specification = workspaces.specify_remote(Path())
        with sessions.open_session(specification, settings, read_only=True) as session:
            done = bundles.export(session, address, target, wanted=wanted, media=media)
    if output == "json":
        click.echo(
            document(
                "export",
                exit_code=Exit.DONE,
                address=str(address),
                folder=str(target),
                counts=dict(done.counts),
                digests={part.value: one for part, one in done.bundle.digests.items()},
                notices=[
                    {"code": one.code, "message": one.message} for one in done.notices
                ],
            )
        )
        return
    counts = done.counts
    click.echo(
        f"Exported {plain(str(address))} to {plain(str(target))}: "
        f"{counted(counts['rows'], 'data row')}, {counted(counts['labels'], 'label')}, "
        f"{counted(counts['predictions'], 'prediction')}, "
        f"{counted(counts['metrics'], 'metric')}."
    )
    for notice in done.notices:
        click.echo(f"  {plain(notice.message)} [{notice.code}]")

"""`reconciler adopt`."""

from pathlib import Path
from typing import Final

import click

from reconciler.cli.common import AddressType, color_option, failures, output_option
from reconciler.cli.exits import Exit
from reconciler.diagnostics import counted
from reconciler.pipeline import adopting, sessions
from reconciler.report.machine import document
from reconciler.report.summary import plain
from reconciler.state.address import Address, Kind

_ADOPTABLE: Final = AddressType(
    {Kind.MODEL, Kind.RUN}, "is neither model/NAME nor run/MODEL/NAME"
)


@click.command("adopt")
@click.argument("address", type=_ADOPTABLE, metavar="(model/NAME | run/MODEL/NAME)")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder for the files, in a folder of manifests; default: one named after "
    "the model.",
)
@output_option
@color_option
def command(
    address: Address, to: Path | None, output: str, *, color: bool | None
) -> None:
    """Write manifests for a run, or a model with all its runs, that exist.

    Ontology, configs, data rows, splits, labels, predictions, metrics and status
    are declared as they are, so that the next plan has nothing to do. Nothing on
    the remote is changed, no file is written over, and what is declared already
    stays as it is.
    """
    with failures("adopt", output=output, color=color) as settings:
        specification = adopting.specify_for_adoption(Path())
        with (
            sessions.open_session(specification, settings, read_only=True) as session,
            session.ledger.exclusive(),
        ):
            done = adopting.adopt(session, address, to=to)
    if output == "json":
        click.echo(
            document(
                "adopt",
                exit_code=Exit.DONE,
                addresses=list(map(str, done.addresses)),
                skipped=list(map(str, done.skipped)),
                files=list(done.files),
                notices=[
                    {
                        "code": one.code,
                        "address": None if one.address is None else str(one.address),
                        "message": one.message,
                    }
                    for one in done.notices
                ],
            )
        )
        return
    for file in done.files:
        click.echo(f"  + {plain(file)}")
    click.echo(f"Declared {counted(len(done.addresses), 'object')} that exist:")
    for one in done.addresses:
        click.echo(f"  {plain(str(one))}")
    for one in done.skipped:
        click.echo(f"  {plain(str(one))} was declared already")
    for notice in done.notices:
        click.echo(f"  {plain(str(notice.address))}: {notice.message} [{notice.code}]")

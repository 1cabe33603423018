"""A run that exists to a folder of manifests and files that brings it about again.

    reconciler.yaml         the folder is a workspace of its own
    bundle.json             what it is of, with a digest of each part and file
    export.ndjson           the export, line by line as it came
    media/                  content of data rows, when that was asked for
    specs/bundle.yaml       the manifests
    specs/rows*.ndjson      data rows; uploads*.ndjson for those with media
    specs/rows.csv          the run's rows with their splits
    specs/labels.ndjson     ground truth, and locks/ which label is of which row
    specs/predictions.ndjson, specs/metrics.ndjson
    splits/TRAINING.txt     the rows of each split, and so on

What the run doesn't have, such as labels, has no file and isn't declared.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.manifest.dump import dump
from reconciler.manifest.dump_documents import (
    document,
    ontology_document,
)
from reconciler.manifest.workspace import FILE_NAME, Workspace
from reconciler.pipeline.bundle_file import Bundle, write_bundle
from reconciler.pipeline.declaring import (
    check_names,
    known_ontology,
    mask_notices,
    ontology_notices,
    run_document,
    run_of,
)
from reconciler.pipeline.facts import facts_of
from reconciler.pipeline.folders import Folder, whole_folder
from reconciler.pipeline.media import DataRowFiles
from reconciler.pipeline.run_files import (
    COLUMNS,
    SPLIT,
    Names,
    RunFiles,
    split_lists,
    write_run_files,
)
from reconciler.pipeline.sessions import Session
from reconciler.plan.build import LOCAL
from reconciler.plan.changes import Notice
from reconciler.rows.lock_labels import labels_header, labels_lines
from reconciler.state.address import Address, project_address
from reconciler.state.canonical import JsonObject
from reconciler.state.contents import ExportParams, RunRow, Survey, SurveyedRun
from reconciler.state.resources import EMBEDDED, RowIdentity

_SPECS: Final = "specs"
_NAMES: Final = Names(
    rows=f"{_SPECS}/rows.csv",
    predictions=f"{_SPECS}/predictions.ndjson",
    metrics=f"{_SPECS}/metrics.ndjson",
    labels=f"{_SPECS}/labels.ndjson",
)
_LOCK: Final = "locks/labels.lock"


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was exported.

    Attributes:
        bundle: What the folder holds.
        counts: How many rows, labelled rows, predictions and metrics there are.
        notices: What is worth saying.
    """

    bundle: Bundle
    counts: Mapping[str, int]
    notices: tuple[Notice, ...]


def export(
    session: Session,
    address: Address,
    target: Path,
    *,
    wanted: ExportParams,
    media: bool = False,
) -> Export:
    """Write a run as a folder that `apply` can make it of again, anywhere.

    Nothing on the remote is changed. The folder is there when it is complete.

    Args:
        session: The remote that has the run.
        address: The run.
        target: The folder, which must not exist or be empty.
        wanted: What the export brings along, beside predictions, which it always
            does. Where `data_row_details` are wanted, datasets keep their names.
        media: Whether to fetch the content of data rows, and masks; from an
            embedded server they always are, for nobody else gets at its files.

    Raises:
        InputError: When there is something at *target*, or it is among the
            manifests of the workspace, there is no such run, or not all of it can
            be said in manifests.
        RemoteError: When it can't be read whole.
    """
    _check_target(session.specification.workspace, target)
    endpoint = session.target.endpoint
    media = media or endpoint == LOCAL
    host = urlsplit(EMBEDDED if endpoint == LOCAL else endpoint).netloc
    with whole_folder(target) as folder:
        survey = session.reader.survey(address)
        run = run_of(survey, address)
        check_names(survey, run)
        fetch = session.reader.download if media else None
        default = f"{survey.name}/{run.name} data rows"
        data_rows = DataRowFiles(
            folder,
            _SPECS,
            default=default,
            fetch=session.reader.download_to if media else None,
            host=host,
        )
        with folder.sheet("export.ndjson") as raw, data_rows:

            def keep(batch: Sequence[RunRow]) -> None:
                for row in batch:
                    raw.write(row.line.rstrip(b"\n") + b"\n")
                data_rows.take(batch)

            done = write_run_files(
                session.reader.run_contents(run.id, replace(wanted, predictions=True)),
                folder,
                _NAMES,
                by=RowIdentity.GLOBAL_KEY,
                media_type=survey.media_type,
                fetch=fetch,
                host=host,
                seen=keep,
            )
        _check_rows(address, done)
        documents = [*data_rows.documents(), *_documents(survey, run, done)]
        folder.write(f"{_SPECS}/bundle.yaml", dump(documents).encode())
        for split, names in split_lists(done.rows):
            folder.write(f"splits/{split}.txt", names)
        _write_lock(session, folder, survey, run, done)
        bundle = Bundle(
            address=address,
            endpoint=endpoint,
            organisation=session.target.organisation,
            digests=facts_of(survey, run, done.rows).digests(),
            files=dict(sorted(folder.hashes.items())),
        )
        write_bundle(folder, bundle)
        # Not among the files of the bundle: it says where the run is made, and may
        # be changed for that.
        folder.write(FILE_NAME, dump([_workspace(address)]).encode())
    return Export(
        bundle=bundle,
        counts={
            "rows": len(done.rows),
            **{
                name: done.counts[name] for name in ("labels", "predictions", "metrics")
            },
        },
        notices=(
            *ontology_notices(survey),
            *_notices(address, done, data_rows, media=media),
        ),
    )


def _documents(
    survey: Survey, run: SurveyedRun, done: RunFiles
) -> Iterator[JsonObject]:
    name = f"{survey.name}/{run.name}"
    truth = f"{name} ground truth"
    yield ontology_document(known_ontology(survey))
    yield document("Model", name=survey.name, ontology=survey.ontology_name)
    if done.labels:
        yield document(
            "Project",
            name=truth,
            ontology=survey.ontology_name,
            labels=[{"file": "labels.ndjson"}],
        )
    if done.rows:
        yield document(
            "DataRows",
            name=name,
            globalKeys={"file": "rows.csv", "column": COLUMNS[done.by]},
            splits={"column": SPLIT},
        )
    lock: JsonObject = {"project": truth, "lock": _LOCK}
    yield run_document(
        survey,
        run,
        rows=name if done.rows else [],
        labels=lock if done.labels else None,
        predictions=[{"file": "predictions.ndjson"}]
        if done.counts["predictions"]
        else None,
        metrics=[{"file": "metrics.ndjson"}] if done.counts["metrics"] else None,
    )


def _workspace(address: Address) -> JsonObject:
    return document(
        "Workspace",
        name="/".join(address.path),
        remote="local",
        # What was found out about a run that exists doesn't keep it from being made.
        checks={"contentAcrossSplits": "warning"},
    )


def _write_lock(
    session: Session,
    folder: Folder,
    survey: Survey,
    run: SurveyedRun,
    done: RunFiles,
) -> None:
    if not done.labels:
        return
    labels = {pin.row: pin for pin in done.labels}
    header = labels_header(
        project=project_address(f"{survey.name}/{run.name} ground truth"),
        endpoint=session.target.endpoint,
        organisation=session.target.organisation,
        labels=labels,
    )
    text = "".join(labels_lines(header, labels))
    folder.write(f"{_SPECS}/{_LOCK}", text.encode())


def _check_target(workspace: Workspace, target: Path) -> None:
    """Refuse a folder whose files would be read as the workspace's own."""
    place = os.path.realpath(target)
    for folder in workspace.folders:
        inside = os.path.relpath(place, os.path.realpath(workspace.root / folder))
        parts = Path(inside).parts
        if ".." not in parts and not any(one.startswith(".") for one in parts):
            raise InputError(
                [
                    Diagnostic(
                        code="among-manifests",
                        message=f"{target} is in {folder}, where the manifests of this "
                        "workspace are read",
                        hint="name a folder outside of it with --to",
                    )
                ]
            )


def _check_rows(address: Address, done: RunFiles) -> None:
    if done.unnamed:
        raise InputError(
            [
                Diagnostic(
                    code="row-without-key",
                    message=f"{address}: {counted(done.unnamed, 'data row')} of "
                    f"{len(done.rows) + done.unnamed:,} can't be named in a bundle, "
                    "which goes by global keys",
                    hint="give these data rows global keys (SDK: "
                    "`client.assign_global_keys_to_data_rows`), then export again",
                )
            ]
        )


def _notices(
    address: Address, done: RunFiles, data_rows: DataRowFiles, *, media: bool
) -> Iterator[Notice]:
    fetched = "" if media else "; --media fetches them"
    if data_rows.at_urls:
        yield Notice(
            code="content-at-urls",
            address=address,
            message=f"the content of {counted(data_rows.at_urls, 'data row')} stays "
            f"at URLs, which may end{fetched}",
        )
    if data_rows.at_home:
        yield Notice(
            code="content-at-urls",
            address=address,
            message=f"the content of {counted(data_rows.at_home, 'data row')} will not "
            f"be there elsewhere: its URLs are of this remote, and end{fetched}",
        )
    if data_rows.bare:
        yield Notice(
            code="attachments-left-out",
            address=address,
            message=f"{counted(data_rows.bare, 'attachment')} of data rows with media "
            "can't be declared: only export.ndjson has them",
        )
    if data_rows.unsaid:
        yield Notice(
            code="metadata-left-out",
            address=address,
            message=f"{counted(data_rows.unsaid, 'value')} of metadata can't be "
            "declared: only export.ndjson has them",
        )
    yield from mask_notices(address, done, fetched)

"""Runs that exist to manifests of a workspace, after which a plan is empty."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.manifest.dump import dump
from reconciler.manifest.dump_documents import document, ontology_document
from reconciler.manifest.load import find_workspace, load
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.declaring import (
    known_ontology,
    mask_notices,
    ontology_notices,
    run_document,
)
from reconciler.pipeline.folders import Folder, added_files, file_name
from reconciler.pipeline.run_files import (
    COLUMNS,
    SPLIT,
    Names,
    RunFiles,
    write_run_files,
)
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.uploading import prepare_uploads
from reconciler.pipeline.workspaces import Specification
from reconciler.plan.changes import Notice
from reconciler.rows.lock import labels_header, labels_lines
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.contents import ExportParams, Survey, SurveyedRun
from reconciler.state.resources import Model, RowIdentity
from reconciler.state.snapshot import Desired
from reconciler.state.uploads import Family, Slot, Uploaded

_EVERYTHING: Final = ExportParams(predictions=True)


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What was adopted.

    Attributes:
        addresses: What is declared now, and wasn't before.
        files: What was written, relative to the workspace, with `/`.
        skipped: Runs that were declared already.
        notices: What is worth saying.
    """

    addresses: tuple[Address, ...]
    files: tuple[str, ...]
    skipped: tuple[Address, ...]
    notices: tuple[Notice, ...]


def specify_for_adoption(path: Path) -> Specification:
    """Load the workspace that a path belongs to, which may have no manifests yet.

    Raises:
        InputError: With every problem of every manifest.
    """
    workspace = find_workspace(path)
    return Specification(workspace, _declared(workspace), None, None)


def adopt(session: Session, address: Address, *, to: Path | None = None) -> Adoption:
    """Write manifests for what exists, and remember what of it was uploaded.

    Nothing on the remote is changed, and no file is written over. What the
    workspace declares already is left as it is.

    Args:
        session: The workspace and its remote, for reading.
        address: A model, with all its runs, or one run.
        to: Folder for the files, in a folder of manifests of the workspace; one
            named after the model unless given.

    Raises:
        InputError: When the address is declared already, there is none on the
            remote, a file is in the way, or not all of it can be declared.
        RemoteError: When it can't be read whole.
    """
    workspace, before = session.specification.workspace, session.specification.desired
    if address.kind is Kind.RUN and address in before.resources:
        raise _declared_already(address, before)
    survey = session.reader.survey(address)
    runs = [
        run
        for run in survey.runs
        if run_address(survey.name, run.name) not in before.resources
    ]
    model = model_address(survey.name)
    if not runs and model in before.resources:
        raise _declared_already(address, before)
    under = _folder(workspace, to, survey)
    with added_files(workspace.root) as folder:
        notices = [
            notice
            for run in runs
            for notice in _adopt_run(session, folder, under, survey, run)
        ]
        if parents := list(_parents(survey, before)):
            if known_ontology(survey).address not in before.resources:
                notices += ontology_notices(survey)
            folder.write(f"{under}/model.yaml", dump(parents).encode())
        after = _declared(workspace)
        adopted = {run_address(survey.name, run.name): run.id for run in runs}
        session.ledger.remember_uploads(_sent(after, survey, workspace, adopted))
    return Adoption(
        addresses=tuple(one for one in after.resources if one not in before.resources),
        files=tuple(sorted(folder.hashes)),
        skipped=tuple(
            run_address(survey.name, run.name) for run in survey.runs if run not in runs
        ),
        notices=tuple(notices),
    )


def _declared(workspace: Workspace) -> Desired:
    try:
        return load(workspace)
    except InputError as error:
        if {one.code for one in error.diagnostics} != {"no-manifests"}:
            raise
        return Desired(resources={})


def _declared_already(address: Address, desired: Desired) -> InputError:
    return InputError(
        [
            Diagnostic(
                code="repeated-name",
                message=f"{address} is declared already",
                span=desired.origins.get(address),
                hint="run `reconciler plan` to see how the remote differs",
            )
        ]
    )


def _folder(workspace: Workspace, to: Path | None, survey: Survey) -> str:
    """Find where files go: in a folder of manifests, with `/`."""
    if to is None:
        return f"{workspace.folders[0]}/{file_name(survey.name)}"
    root = os.path.realpath(workspace.root)
    inside = os.path.relpath(os.path.realpath(to), root).replace(os.sep, "/")
    parts = inside.split("/")
    within = any(
        folder in (".", inside) or inside.startswith(f"{folder}/")
        for folder in workspace.folders
    )
    if ".." in parts or not within or any(one.startswith(".") for one in parts):
        folders = ", ".join(workspace.folders)
        raise InputError(
            [
                Diagnostic(
                    code="file-outside",
                    message=f"{to} is in no folder of manifests of this workspace",
                    hint=f"manifests are read from {folders}",
                )
            ]
        )
    return inside


def _parents(survey: Survey, before: Desired) -> Iterator[JsonObject]:
    ontology = known_ontology(survey)
    if ontology.address not in before.resources:
        yield ontology_document(ontology)
    if model_address(survey.name) not in before.resources:
        yield document("Model", name=survey.name, ontology=survey.ontology_name)


def _adopt_run(
    session: Session, folder: Folder, under: str, survey: Survey, run: SurveyedRun
) -> Iterator[Notice]:
    address = run_address(survey.name, run.name)
    base = file_name(run.name)
    names = Names(
        rows=f"{under}/{base}.rows.csv",
        predictions=f"{under}/{base}.predictions.ndjson",
        metrics=f"{under}/{base}.metrics.ndjson",
    )
    done = _write(session, folder, names, survey, run)
    labels = _write_labels(session, folder, under, base, done)
    by_name: JsonObject = {"file": f"{base}.rows.csv", "column": COLUMNS[done.by]}
    rows: JsonValue = (
        {f"{done.by.value}s": by_name, "splits": {"column": SPLIT}} if done.rows else []
    )
    said = run_document(
        survey,
        run,
        rows=rows,
        labels=labels,
        predictions=_source(f"{base}.predictions.ndjson", done.counts["predictions"]),
        metrics=_source(f"{base}.metrics.ndjson", done.counts["metrics"]),
    )
    folder.write(f"{under}/{base}.yaml", dump([said]).encode())
    yield from mask_notices(address, done)
    if nameless := done.counts["nameless"]:
        yield Notice(
            code="predictions-without-uuid",
            address=address,
            message=f"the remote gives no uuids of {counted(nameless, 'prediction')}: "
            "once changed, they would be added beside those that are there",
        )
    if done.by is RowIdentity.DATA_ROW_ID:
        yield Notice(
            code="rows-by-id",
            address=address,
            message="some data rows have no global key, so that all are named by id, "
            "which means something in this organisation only",
        )


def _source(file: str, count: int) -> JsonValue:
    return [{"file": file}] if count else None


def _write(
    session: Session, folder: Folder, names: Names, survey: Survey, run: SurveyedRun
) -> RunFiles:
    """Write the files of a run by global key, or by id where a row has no key."""
    for by in RowIdentity:
        done = write_run_files(
            session.reader.run_contents(run.id, _EVERYTHING),
            folder,
            names,
            by=by,
            media_type=survey.media_type,
        )
        if not done.unnamed:
            return done
        for name in (names.rows, names.predictions, names.metrics):
            folder.drop(name)
    raise AssertionError("every data row has an id")


def _write_labels(
    session: Session, folder: Folder, under: str, base: str, done: RunFiles
) -> JsonValue:
    if not done.labels:
        return None
    if done.by is RowIdentity.DATA_ROW_ID:  # locks name rows by global key
        ids = sorted(pin.label_id for pin in done.labels if pin.label_id is not None)
        text = "".join(f"{one}\n" for one in ids)
        folder.write(f"{under}/{base}.labels.txt", text.encode())
        return {"labelIds": {"file": f"{base}.labels.txt"}}
    labels = {pin.row: pin for pin in done.labels}
    header = labels_header(
        project=None,
        endpoint=session.target.endpoint,
        organisation=session.target.organisation,
        labels=labels,
    )
    lock = f"locks/{base}.labels.lock"
    folder.write(f"{under}/{lock}", "".join(labels_lines(header, labels)).encode())
    return {"lock": lock}


def _sent(
    after: Desired,
    survey: Survey,
    workspace: Workspace,
    adopted: Mapping[Address, RemoteId],
) -> dict[tuple[Address, Family], dict[Slot, Uploaded]]:
    """Say of what was written that it was sent, for it is there."""
    model = model_address(survey.name)
    kept = {
        address: resource
        for address, resource in after.resources.items()
        if address in adopted or address.kind not in (Kind.RUN, Kind.PROJECT)
    }
    declared = after.resources[model]
    assert isinstance(declared, Model)
    prepared = prepare_uploads(
        replace(after, resources=kept),
        {declared.ontology: (survey.schema, survey.media_type)},
        workspace.limits.predictions_per_job,
    )
    return {
        (address, uploads.family): {
            chunk.slot: Uploaded(
                digest=chunk.digest,
                generation=1,
                finished=True,
                parent=adopted[address],
                marks=chunk.marks,
            )
            for chunk in uploads.chunks
        }
        for address, families in prepared.items()
        if address in adopted
        for uploads in families
    }

"""Imports of predictions, labels and pre-labels: started, and asked about."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.importing.annotations import INPUTS, job_of
from reconciler.server.importing.fetching import check_url
from reconciler.server.request import Request, Upload, request_of
from reconciler.server.shapes import Shape
from reconciler.server.store import annotation_imports as store
from reconciler.server.store.annotation_imports import (
    ImportFile,
    ImportRecord,
    ImportState,
    ImportType,
)
from reconciler.server.store.files import NDJSON, add_file, own_file
from reconciler.server.store.projects import read_project
from reconciler.server.store.targets import Target, project_target, run_target


def create_from_file(
    kind: ImportType, _: object, info: Info, *, data: Mapping[str, Any]
) -> dict[str, Any]:
    request = request_of(info)
    source = _source(request, data)
    with request.store.read() as db:
        # Nothing of a file stays when there is nowhere to import it to.
        _target(db, kind, data)
    written = None
    if isinstance(source, Upload):
        written = request.store.files.write([source.content])
    with request.store.write() as db:
        target = _target(db, kind, data)
        input_pk: int | None = None
        if written is not None:
            input_pk, _ = add_file(
                db, request.store, written, name=INPUTS, content_type=NDJSON
            )
        elif ours := own_file(db, request.store, source):
            input_pk = ours.pk
        identifier = store.add_import(
            db,
            request.store,
            kind,
            target,
            name=data["name"],
            unique=request.settings.unique_import_names,
            input_pk=input_pk,
            url=None if isinstance(source, Upload) else source,
        )
    return _do(request, shape_of(info), identifier)


def create_from_run(
    _: object, info: Info, *, data: Mapping[str, Any]
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        run_target(db, data["modelRunId"])
        identifier = store.add_import(
            db,
            request.store,
            ImportType.RUN_PREDICTIONS,
            project_target(db, data["projectId"]),
            name=data["name"],
            unique=request.settings.unique_import_names,
            detail={name: data[name] for name in ("modelRunId", "dataRowIds")},
        )
    return _do(request, shape_of(info), identifier)


def find(
    kind: ImportType, _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, Any]:
    request = request_of(info)
    owner = where["modelRunId" if kind is ImportType.PREDICTIONS else "projectId"]
    with request.store.read() as db:
        record = store.find_import(db, kind, owner, where["name"])
    (found,) = _describe(request, shape_of(info), [record])
    return found


def listing(
    kind: ImportType,
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    skip: int | None = None,
    first: int | None = None,
) -> list[dict[str, Any]]:
    request = request_of(info)
    with request.store.read() as db:
        records = store.list_imports(
            db, kind, where["projectId"], skip=skip, first=first
        )
    return _describe(request, shape_of(info), records)


def delete(
    kind: ImportType, _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str]:
    with request_of(info).store.write() as db:
        store.delete_import(db, kind, where["id"])
    return {"id": where["id"]}


def _target(db: Connection, kind: ImportType, data: Mapping[str, Any]) -> Target:
    if kind is ImportType.PREDICTIONS:
        return run_target(db, data["modelRunId"])
    return project_target(db, data["projectId"])


def _source(request: Request, data: Mapping[str, Any]) -> Upload | str:
    """Tell what to import: a file, or the URL of one that may be fetched."""
    payload, url = data.get("filePayload"), data.get("fileUrl")
    if (payload is None) == (url is None):
        raise bad_input("an import needs either a filePayload or a fileUrl")
    if payload is not None:
        file = payload["file"]
        if not isinstance(file, Upload):
            raise bad_input("file must be a part of a multipart request")
        return file
    text = str(url)
    with request.store.read() as db:
        ours = own_file(db, request.store, text) is not None
    if not ours:
        check_url(text)
        if not request.settings.fetch_urls:
            raise bad_input("this server fetches no files; upload it instead")
    return text


def _do(request: Request, shape: Shape, identifier: str) -> dict[str, Any]:
    """Work on an import that was just recorded, for as long as a client waits."""
    with request.store.read() as db:
        record = store.read_import(db, identifier)
    assert record, "it was just recorded"
    request.jobs.do(job_of(request.store, request.settings, record))
    with request.store.read() as db:
        # Somebody may have deleted it meanwhile; then it is still as it began.
        record = store.read_import(db, identifier) or record
    (found,) = _describe(request, shape, [record])
    return found


def _describe(
    request: Request, shape: Shape, records: Sequence[ImportRecord]
) -> list[dict[str, Any]]:
    """Say what the API says of imports of one run or project, at this moment."""
    for one in records:
        if one.state is ImportState.RUNNING:
            request.jobs.resume(job_of(request.store, request.settings, one))
    owner: dict[str, Any] = {}
    if records and shape.has("project"):
        with request.store.read() as db:
            owner["project"] = read_project(
                db, request.urls, shape.inside("project"), records[0].owner_id
            )
    return [{**_record(request, one), **owner} for one in records]


def _record(request: Request, record: ImportRecord) -> dict[str, Any]:
    state = record.seen(request.store.clock(), request.settings.task_seconds)
    over = state is not ImportState.RUNNING
    return {
        "id": record.id,
        "modelRunId": record.owner_id,
        "name": record.name,
        "state": state,
        "progress": "100%" if over else "0%",
        "inputFileUrl": _url(request, record.input) or record.url,
        "statusFileUrl": _url(request, record.statuses) if over else None,
        "errorFileUrl": _url(request, record.errors) if over else None,
        "errorMessage": record.message if over else None,
    }


def _url(request: Request, file: ImportFile | None) -> str | None:
    return None if file is None else request.urls.sign(file.id, file.name)


RESOLVERS: Final[Resolvers] = {
    ("Query", "modelErrorAnalysisPredictionImport"): partial(
        find, ImportType.PREDICTIONS
    ),
    ("Query", "labelImport"): partial(find, ImportType.LABELS),
    ("Query", "labelImports"): partial(listing, ImportType.LABELS),
    ("Query", "modelAssistedLabelingPredictionImport"): partial(
        find, ImportType.PRELABELS
    ),
    ("Query", "modelAssistedLabelingPredictionImports"): partial(
        listing, ImportType.PRELABELS
    ),
    ("Query", "meaToMalPredictionImport"): partial(find, ImportType.RUN_PREDICTIONS),
    ("Mutation", "createModelErrorAnalysisPredictionImport"): partial(
        create_from_file, ImportType.PREDICTIONS
    ),
    ("Mutation", "createLabelImport"): partial(create_from_file, ImportType.LABELS),
    ("Mutation", "createModelAssistedLabelingPredictionImport"): partial(
        create_from_file, ImportType.PRELABELS
    ),
    ("Mutation", "deleteModelAssistedLabelingPredictionImport"): partial(
        delete, ImportType.PRELABELS
    ),
    ("Mutation", "createMalPredictionImportForModelRunDataRows"): create_from_run,
}

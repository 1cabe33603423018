"""Models, and runs with their config and rows."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import request_of
from reconciler.server.resolvers.identity import seen
from reconciler.server.shapes import Cut
from reconciler.server.store import experiments as store
from reconciler.server.store import membership
from reconciler.server.store import tasks as task_store
from reconciler.server.store.membership import Naming
from reconciler.server.store.tasks import TaskType

MAX_CONFIG_DEPTH: Final = 64
"""How deep a config may nest."""


def create_model(_: object, info: Info, *, data: Mapping[str, str]) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        identifier = store.create_model(
            db, request.store, data["name"], data["ontologyId"]
        )
        return store.read_model(db, identifier)


def model(_: object, info: Info, *, where: Mapping[str, str]) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        return store.read_model(db, where["id"])


def models(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> list[dict[str, Any]]:
    with request_of(info).store.read() as db:
        return store.list_models(db, where, skip=skip, first=first)


def model_runs(
    source: Mapping[str, str],
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    order_by: str | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> Cut:
    with request_of(info).store.read() as db:
        return store.list_runs(
            db,
            shape_of(info),
            source["id"],
            where,
            order=order_by,
            skip=skip,
            first=first,
        )


def delete_models(_: object, info: Info, *, where: Mapping[str, Sequence[str]]) -> bool:
    with request_of(info).store.write() as db:
        store.delete_models(db, where["ids"])
    return True


def create_model_run(_: object, info: Info, *, data: Mapping[str, Any]) -> Cut:
    request = request_of(info)
    config = data.get("trainingMetadata")
    _check_config(config)
    with request.store.write() as db:
        identifier = store.create_run(
            db,
            request.store,
            model=data["modelId"],
            name=data["name"],
            config=config,
            unique=request.settings.unique_run_names,
        )
        answer = store.read_run(db, shape_of(info), identifier)
    if request.settings.camel_case_create_echo and config is not None:
        for one in shape_of(info).fields:
            if one.name == "trainingMetadata":
                answer.value[one.key] = camel_cased(config)
    return answer


def model_run(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    with request_of(info).store.read() as db:
        return store.read_run(db, shape_of(info), where["id"])


def delete_model_runs(
    _: object, info: Info, *, where: Mapping[str, Sequence[str]]
) -> bool:
    with request_of(info).store.write() as db:
        store.delete_runs(db, where["ids"])
    return True


def update_config(
    _: object,
    info: Info,
    *,
    model_run: Mapping[str, str],
    data: Mapping[str, Any],
) -> dict[str, Any]:
    config = data.get("config")
    if config is None:
        raise bad_input("config must be an object; reset it to have none")
    _check_config(config)
    request = request_of(info)
    with request.store.write() as db:
        store.set_config(db, request.store, model_run["id"], config)
    return {"trainingMetadata": config}


def reset_config(
    _: object,
    info: Info,
    *,
    model_run: Mapping[str, str],
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        store.set_config(db, request.store, model_run["id"], None)
    return {"trainingMetadata": None}


def annotation_groups(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Mapping[str, str]],
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    request = request_of(info)
    run_id = where["modelRunId"]["id"]
    with request.store.read() as db:
        nodes, end = membership.page_of_members(
            db,
            request.urls,
            shape_of(info).inside("nodes"),
            (store.run_number(db, run_id), run_id),
            after=after,
            first=first,
        )
    return {"nodes": nodes, "pageInfo": {"endCursor": end}}


def register_data_rows(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Sequence[str] | None],
) -> str:
    request = request_of(info)
    with request.store.write() as db:
        run_pk = store.run_number(db, where["id"])
        error = membership.add_members(db, run_pk, _naming(data))
        record = task_store.add_task(
            db, request.store, TaskType.MEMBERSHIP, error=error
        )
    return record.id


def assign_splits(
    _: object,
    info: Info,
    *,
    model_run: Mapping[str, str],
    data: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    request = request_of(info)
    with request.store.write() as db:
        run_pk = store.run_number(db, model_run["id"])
        error = None
        with db.begin_nested() as savepoint:
            for one in data["assignments"]:
                error = membership.assign_split(db, run_pk, _naming(one), one["split"])
                if error is not None:
                    savepoint.rollback()
                    break
        record = task_store.add_task(db, request.store, TaskType.SPLITS, error=error)
    return record.id


def registration_status(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str | None]:
    return _status(info, where["id"], TaskType.MEMBERSHIP)


def assignment_status(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str | None]:
    return _status(info, where["id"], TaskType.SPLITS)


def delete_model_run_data_rows(
    _: object, info: Info, *, where: Mapping[str, Any]
) -> bool:
    with request_of(info).store.write() as db:
        run_pk = store.run_number(db, where["modelRunId"])
        membership.remove_members(db, run_pk, where["dataRowIds"])
    return True


def camel_cased(value: Any) -> Any:
    """Spell the keys of a config as the real service echoes them."""
    match value:
        case dict():
            return {_camel(key): camel_cased(item) for key, item in value.items()}
        case list():
            return [camel_cased(item) for item in value]
        case _:
            return value


def _camel(key: str) -> str:
    return re.sub(r"(?<=[^_])_+([a-zA-Z0-9])", lambda found: found[1].upper(), key)


def _status(info: Info, identifier: str, kind: TaskType) -> dict[str, str | None]:
    request = request_of(info)
    with request.store.read() as db:
        record = task_store.find_task(db, identifier, kind)
    now = seen(request, record)
    message = None if now == "IN_PROGRESS" else record.error_message
    return {"status": now, "errorMessage": message}


def _naming(data: Mapping[str, Any]) -> Naming:
    return Naming(data.get("dataRowIds") or (), data.get("globalKeys") or ())


def _check_config(config: object) -> None:
    if config is not None and not isinstance(config, dict):
        raise bad_input("a config must be an object")
    level: list[object] = [config]
    for _ in range(MAX_CONFIG_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if level:
        raise bad_input(f"a config must not nest deeper than {MAX_CONFIG_DEPTH} levels")


RESOLVERS: Final[Resolvers] = {
    ("Query", "model"): model,
    ("Query", "models"): models,
    ("Query", "modelRun"): model_run,
    ("Query", "annotationGroups"): annotation_groups,
    ("Query", "MEADataRowRegistrationTaskStatus"): registration_status,
    ("Query", "assignDataRowsToDataSplitTaskStatus"): assignment_status,
    ("Model", "modelRuns"): model_runs,
    ("Mutation", "createModel"): create_model,
    ("Mutation", "deleteModels"): delete_models,
    ("Mutation", "createModelRun"): create_model_run,
    ("Mutation", "deleteModelRuns"): delete_model_runs,
    ("Mutation", "updateModelRunConfig"): update_config,
    ("Mutation", "resetModelRunConfig"): reset_config,
    ("Mutation", "createMEAModelRunDataRowRegistrationTask"): register_data_rows,
    ("Mutation", "createAssignDataRowsToDataSplitTask"): assign_splits,
    ("Mutation", "deleteModelRunDataRows"): delete_model_run_data_rows,
}

"""Models, and runs with their config and the status of their training."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import experiments as store
from reconciler.server.store import training


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
    _check_object("a config", config)
    with request.store.write() as db:
        identifier = store.create_run(
            db,
            request.store,
            model=data["modelId"],
            name=data["name"],
            config=config,
            unique=request.settings.unique_run_names,
            limit=request.settings.limits.runs_per_model,
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
    _check_object("a config", config)
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


def update_training_pipeline(
    _: object,
    info: Info,
    *,
    model_run: Mapping[str, str],
    data: Mapping[str, Any],
) -> dict[str, Any]:
    metadata = data.get("metadata")
    _check_object("metadata", metadata)
    request = request_of(info)
    with request.store.write() as db:
        training.update_pipeline(
            db,
            request.store,
            model_run["id"],
            status=data["status"],
            error=data.get("errorMessage"),
            metadata=metadata,
        )
        return training.read_pipeline(db, model_run["id"])


def training_pipeline(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        return training.read_pipeline(db, where["id"])


def foundry_info(_: object, info: Info, *, where: Mapping[str, str]) -> None:
    """Answer that a run is of no foundry app, as all runs here are."""
    with request_of(info).store.read() as db:
        store.run_number(db, where["modelRunId"])


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


def _check_object(what: str, value: object) -> None:
    if value is not None and not isinstance(value, dict):
        raise bad_input(f"{what} must be an object")


RESOLVERS: Final[Resolvers] = {
    ("Query", "model"): model,
    ("Query", "models"): models,
    ("Query", "modelRun"): model_run,
    ("Query", "trainingPipeline"): training_pipeline,
    ("Query", "modelFoundryModelRunInfo"): foundry_info,
    ("Model", "modelRuns"): model_runs,
    ("Mutation", "createModel"): create_model,
    ("Mutation", "deleteModels"): delete_models,
    ("Mutation", "createModelRun"): create_model_run,
    ("Mutation", "deleteModelRuns"): delete_model_runs,
    ("Mutation", "updateModelRunConfig"): update_config,
    ("Mutation", "resetModelRunConfig"): reset_config,
    ("Mutation", "updateTrainingPipeline"): update_training_pipeline,
}

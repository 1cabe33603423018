"""Short ways to say what a remote answers, and what is asked of it."""

from typing import Any

import httpx

from reconciler.diagnostics import Span
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    run_address,
)
from reconciler.state.resources import (
    DataRow,
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    RowIdentity,
    Run,
)
from reconciler.state.snapshot import (
    Desired,
)

ONTOLOGY = Address(Kind.ONTOLOGY, ("shapes",))
DATASET = Address(Kind.DATASET, ("digits",))
MODEL = model_address("vision")
RUN = run_address("vision", "r1")
IDS = {
    ONTOLOGY: RemoteId("o1"),
    DATASET: RemoteId("d1"),
    MODEL: RemoteId("m1"),
    RUN: RemoteId("r1"),
}
BY_KEY = RowIdentity.GLOBAL_KEY
BAD_GATEWAY = httpx.Response(502, text="bad gateway")


def config(value: Any) -> dict[str, Any]:
    return {"modelRun": {"trainingMetadata": value}}


def runs(*names_and_ids: tuple[str, str]) -> dict[str, Any]:
    listed = [
        {"id": id_, "name": name, "trainingMetadata": None}
        for name, id_ in names_and_ids
    ]
    return {"model": {"modelRuns": listed}}


def models(*names_and_ids: tuple[str, str]) -> dict[str, Any]:
    return {
        "models": [
            {"id": id_, "name": name, "ontologyId": "o1"} for name, id_ in names_and_ids
        ]
    }


def datasets(*names_and_ids: tuple[str, str], rows: int = 0) -> dict[str, Any]:
    return {
        "datasets": [
            {"id": id_, "name": name, "description": None, "rowCount": rows}
            for name, id_ in names_and_ids
        ]
    }


def ontologies(
    *names_and_ids: tuple[str, str], cursor: str | None = None
) -> dict[str, Any]:
    nodes = [
        {
            "id": id_,
            "name": name,
            "mediaType": "IMAGE",
            "normalized": {
                "tools": [
                    {
                        "tool": "rectangle",
                        "name": "cat",
                        "color": "#f00",
                        "featureSchemaId": "c" * 25,
                        "required": None,
                    }
                ]
            },
        }
        for name, id_ in names_and_ids
    ]
    return {"ontologies": {"nodes": nodes, "nextCursor": cursor}}


def row_page(
    *rows: tuple[str, str | None, str | None], cursor: str | None = None
) -> dict[str, Any]:
    nodes = [
        {"dataSplit": split, "dataRow": {"id": id_, "globalKey": key}}
        for id_, key, split in rows
    ]
    return {"annotationGroups": {"nodes": nodes, "pageInfo": {"endCursor": cursor}}}


def desired(*resources: Ontology | Dataset | Model | Run, **pins: str) -> Desired:
    kinds = {"run": RUN, "model": MODEL, "dataset": DATASET, "ontology": ONTOLOGY}
    return Desired(
        resources={resource.address: resource for resource in resources},
        origins={
            resource.address: Span("a.yaml", n, 1)
            for n, resource in enumerate(resources, start=1)
        },
        pins={kinds[kind]: RemoteId(pin) for kind, pin in pins.items()},
    )


def data_row(key: str, content: Any = "https://x.test/1.png") -> DataRow:
    return DataRow(GlobalKey(key), content)


def managed(*keys: str) -> Dataset:
    return Dataset("digits", data_rows={GlobalKey(key): data_row(key) for key in keys})


def dataset_page(*rows: tuple[str, str | None], cursor: str | None) -> dict[str, Any]:
    return {
        "datasetDataRows": {
            "nodes": [{"id": id_, "globalKey": key} for id_, key in rows],
            "pageInfo": {"hasNextPage": False, "startCursor": cursor},
        }
    }


def keys_result(*missing: str, denied: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "dataRowsForGlobalKeysResult": {
            "data": {
                "notFoundGlobalKeys": list(missing),
                "accessDeniedGlobalKeys": list(denied),
            },
            "jobStatus": "COMPLETE",
        }
    }


JOB = {"dataRowsForGlobalKeys": {"jobId": "j1"}}
PENDING_KEYS = {
    "dataRowsForGlobalKeysResult": {"data": None, "jobStatus": "IN_PROGRESS"}
}


def task(status: str, errors: Any = None) -> dict[str, Any]:
    node = {"id": "t1", "status": status, "result": None, "errors": errors}
    return {"user": {"createdTasks": [node]}}

"""What is measured: data rows and runs on a server, and manifests about them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from reconciler.api import documents
from tests.bench.processes import KEY, TOOL, environment, measure, served
from tests.bench.wire import Api

BATCH: Final = 10_000
_SPLITS: Final = (*("TRAINING",) * 8, "VALIDATION", "TEST")

_WORKSPACE: Final = """\
apiVersion: reconciler/v1
kind: Workspace
name: bench
remote: labelbox
limits: {requestsPerMinute: null}
"""

_MODEL: Final = """\
apiVersion: reconciler/v1
kind: Ontology
name: bench
---
apiVersion: reconciler/v1
kind: Dataset
name: bench
---
apiVersion: reconciler/v1
kind: Model
name: bench
ontology: bench
---
apiVersion: reconciler/v1
kind: DataRows
name: bench
globalKeys: {file: rows.csv, column: key}
splits: {column: split}
"""

_RUN: Final = """\
apiVersion: reconciler/v1
kind: ModelRun
model: bench
name: NAME
config: CONFIG
rows: ROWS
"""

_FEATURES: Final = {
    "tools": [
        {
            "tool": "rectangle",
            "name": "cat",
            "classifications": [
                {
                    "type": "radio",
                    "name": "breed",
                    "instructions": "breed",
                    "options": [{"value": "tabby", "label": "tabby"}],
                }
            ],
        }
    ],
    "classifications": [],
}

_OWN_ROWS: Final = "{globalKeys: {file: FILE, column: key}, splits: {column: split}}"


def key(number: int) -> str:
    """Name a data row."""
    return f"row-{number:07}"


def split(number: int) -> str:
    """Split eight to one to one."""
    return _SPLITS[number % 10]


def config(name: str) -> dict[str, Any]:
    """Make hyperparameters as they usually are."""
    return {
        "name": name,
        "epochs": 20,
        "optimizer": {"name": "adam", "lr": 0.001, "betas": [0.9, 0.999]},
        "augment": ["flip", "crop"],
    }


def write_rows(file: Path, count: int) -> None:
    """List the first data rows with their splits."""
    with file.open("w") as lines:
        lines.write("key,split\n")
        lines.writelines(f"{key(n)},{split(n)}\n" for n in range(count))


def workspace(root: Path, runs: Iterable[str], *, rows: int, own: bool = False) -> Path:
    """Declare runs of so many rows.

    Args:
        root: Folder to make it in.
        runs: Names of the runs.
        rows: How many rows each has.
        own: Whether every run has a list of its own, or all share one.
    """
    specs = root / "specs"
    specs.mkdir(parents=True)
    (root / "reconciler.yaml").write_text(_WORKSPACE)
    (specs / "model.yaml").write_text(_MODEL)
    write_rows(specs / "rows.csv", rows)
    for name in runs:
        if own:
            write_rows(specs / f"{name}.csv", rows)
        text = _RUN.replace("NAME", name).replace("CONFIG", json.dumps(config(name)))
        members = _OWN_ROWS.replace("FILE", f"{name}.csv") if own else "bench"
        (specs / f"{name}.yaml").write_text(text.replace("ROWS", members))
    return root


@dataclass(frozen=True, slots=True)
class Limits:
    """How the tool reads rows unless it is told otherwise.

    Attributes:
        export_above: Runs of more rows are read by an export, others by pages.
        page: Rows on a page.
    """

    export_above: int
    page: int

    @classmethod
    def usual(cls) -> Self:
        """Ask the tool, so that what it is compared with reads in the same way."""
        schema = json.loads(measure([TOOL, "schema"]).output)
        found = schema["$defs"]["LimitsShape"]["properties"]
        return cls(found["exportAbove"]["default"], found["pageSize"]["default"])


def client_environment(url: str) -> dict[str, str]:
    """Point the tool at a server."""
    return environment(LABELBOX_ENDPOINT=url, LABELBOX_API_KEY=KEY)


class Remote:
    """A server with an ontology, a dataset and a model, all called `bench`.

    Attributes:
        url: Where it is.
        model: Id of the model.
    """

    def __init__(self, url: str, api: Api) -> None:
        self.url = url
        self._api = api
        ontology = api.ask(
            documents.CREATE_ONTOLOGY,
            data={
                "name": "bench",
                "normalized": json.dumps(_FEATURES),
                "mediaType": "IMAGE",
            },
        )
        model = api.ask(documents.CREATE_MODEL, name="bench", ontologyId=ontology["id"])
        self.model: str = model["id"]
        self._dataset: str = api.ask(documents.CREATE_DATASET, name="bench")["id"]
        self._user: str = api.ask(documents.USER)["id"]

    def add_data_rows(self, count: int) -> None:
        """Bring data rows into the dataset."""
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            chunk = self._api.upload(json.dumps([*map(self._item, numbers)]).encode())
            manifest = {
                "source": "SDK",
                "item_count": len(numbers),
                "chunk_uris": [chunk],
            }
            uri = self._api.upload(json.dumps(manifest).encode())
            task = self._api.ask(documents.UPSERT_DATA_ROWS, manifestUri=uri)
            self._api.finish(
                documents.TASK,
                lambda user: user["createdTasks"][0],
                userId=self._user,
                taskId=task["id"],
            )

    def add_run(self, name: str, rows: int) -> str:
        """Create a run of the first data rows, as the manifests say; gives its id."""
        run: str = self._api.ask(
            documents.CREATE_RUN, name=name, config=config(name), modelId=self.model
        )["id"]
        for start in range(0, rows, BATCH):
            numbers = range(start, min(start + BATCH, rows))
            self._add(run, numbers)
            self._assign(run, numbers)
        return run

    def add_empty_run(self, name: str) -> str:
        """Create a run without rows, and give its id."""
        made = self._api.ask(
            documents.CREATE_RUN, name=name, config=None, modelId=self.model
        )
        return str(made["id"])

    def _add(self, run: str, numbers: Iterable[int]) -> None:
        task = self._api.ask(
            documents.ADD_ROWS,
            modelRunId=run,
            dataRowIds=None,
            globalKeys=[*map(key, numbers)],
        )
        self._api.finish(documents.ADD_ROWS_STATUS, where={"id": task})

    def _assign(self, run: str, numbers: Iterable[int]) -> None:
        members: dict[str, list[str]] = {}
        for number in numbers:
            members.setdefault(split(number), []).append(key(number))
        assignments = [
            {"split": one, "dataRowIds": None, "globalKeys": names}
            for one, names in members.items()
        ]
        task = self._api.ask(
            documents.ASSIGN_SPLITS, modelRunId=run, data={"assignments": assignments}
        )
        self._api.finish(documents.ASSIGN_SPLITS_STATUS, id=task)

    def _item(self, number: int) -> dict[str, Any]:
        return {
            "id": {"type": "AUTO", "value": ""},
            "payload": {
                "row_data": f"https://files.invalid/{key(number)}.png",
                "global_key": key(number),
                "dataset_id": self._dataset,
            },
        }


@contextmanager
def filled(home: Path, rows: int, *, task_seconds: float = 0.0) -> Iterator[Remote]:
    """Have a server with so many data rows and no runs.

    Args:
        home: Where it keeps them.
        rows: How many.
        task_seconds: How long its tasks look unfinished.
    """
    home.mkdir(parents=True)
    with served(home, task_seconds=task_seconds) as url, Api(url, KEY) as api:
        remote = Remote(url, api)
        remote.add_data_rows(rows)
        yield remote

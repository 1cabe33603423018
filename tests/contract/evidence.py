"""Short ways to labels, predictions, metrics and status in a contract test."""

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Span
from reconciler.plan.steps import (
    BatchRows,
    ConnectOntology,
    CreateProject,
    SendChunk,
    Step,
)
from reconciler.state.address import (
    Address,
    RemoteId,
    project_address,
)
from reconciler.state.contents import ExportParams
from reconciler.state.labels import CurrentLabel, PinnedLabel
from reconciler.state.resources import (
    LineFile,
    Project,
)
from reconciler.state.selection import Selection
from reconciler.state.snapshot import CurrentProject
from reconciler.state.uploads import Family
from tests.contract.test_ports import (
    ALL,
    DATASET,
    ONTOLOGY,
    RUN,
    desired,
    performed,
    with_a_run,
)
from tests.contract.twin import Remote
from tests.support.sending import sending

PROJECT = project_address("digits")


TRUTH = Project(
    "digits", ONTOLOGY, DATASET, (LineFile("t.ndjson", "t.ndjson", Span("p.yaml")),)
)


PREDICTIONS = ExportParams(predictions=True)


FIRST = BatchRows(PROJECT, "reconciler 0of1 b", ("a", "b"))


def cat(key: str, uuid: int, left: float = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "uuid": f"00000000-0000-4000-8000-{uuid:012}",
        "dataRow": {"globalKey": key},
        "name": "cat",
        "bbox": {"top": 1.0, "left": left, "height": 3.0, "width": 4.0},
        **more,
    }


def score(key: str, value: float) -> dict[str, Any]:
    return {
        "dataRow": {"globalKey": key},
        "metricName": "score",
        "metricValue": value,
        "aggregation": "ARITHMETIC_MEAN",
    }


def truth(*rows: dict[str, Any], **more: Any) -> SendChunk:
    return sending(PROJECT, Family.LABELS, *rows, **more)


def with_a_project(remote: Remote, *rows: dict[str, Any]) -> dict[Address, RemoteId]:
    """Have rows a, b and c; a project with a and b, and labels in it."""
    ids = with_a_run(remote, "a", "b", "c")
    steps: list[Step] = [
        CreateProject(PROJECT, "IMAGE"),
        ConnectOntology(PROJECT, ONTOLOGY),
        FIRST,
    ]
    if rows:
        steps.append(truth(*rows))
    return performed(remote, *steps, ids=ids)


def project(remote: Remote) -> CurrentProject:
    found = remote.read(desired(*ALL.resources.values(), TRUTH)).resources[PROJECT]
    assert isinstance(found, CurrentProject)
    return found


def by_row(labels: Any) -> dict[str, CurrentLabel]:
    return {label.row: label for label in labels}


def pin(label: CurrentLabel, **more: Any) -> PinnedLabel:
    assert label.row is not None
    return PinnedLabel(label.row, label.content, **more)


def contents(
    remote: Remote,
    ids: Mapping[Address, RemoteId],
    wanted: ExportParams = PREDICTIONS,
) -> list[Any]:
    return [row for batch in remote.run_contents(ids[RUN], wanted) for row in batch]


def selected(remote: Remote, source: RemoteId, asked: Selection) -> list[Any]:
    return [row for batch in remote.select(asked, source) for row in batch]

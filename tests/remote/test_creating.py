"""Objects that come to be once, whatever happens to the answer."""

import json

import httpx
import pytest

from reconciler.api import documents
from reconciler.plan.steps import (
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateRun,
)
from reconciler.ports import (
    InDoubt,
    RemoteError,
    Stale,
)
from reconciler.remote.errors import Refused
from reconciler.state.address import (
    RemoteId,
)
from reconciler.state.canonical import JsonValue
from tests.remote.said import (
    BAD_GATEWAY,
    DATASET,
    IDS,
    MODEL,
    ONTOLOGY,
    RUN,
    config,
    datasets,
    models,
    ontologies,
    row_page,
    runs,
)
from tests.remote.wire import Wire, refusal


def holding(wire: Wire, config_: object, *rows: tuple[str, str, str]) -> None:
    """Let the run that is found hold this."""
    wire.on(documents.RUN_CONFIG, config(config_))
    wire.on(documents.RUN_ROWS, row_page(*rows))


def test_a_run_whose_answer_got_lost_is_found_and_not_created_again() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs(), runs(("r1", "new")))
    wire.on(documents.CREATE_RUN, BAD_GATEWAY)

    assert wire.labelbox().perform(CreateRun(RUN), ids=IDS) == "new"

    assert wire.count(documents.CREATE_RUN) == 1


def test_a_run_that_timed_out_and_shows_late_is_found() -> None:
    wire = Wire()
    wire.on(
        documents.MODEL_RUNS_NAMED,
        runs(),
        runs(),
        refusal("not now"),
        runs(),
        runs(("r1", "x")),
    )
    wire.on(documents.CREATE_RUN, httpx.ReadTimeout("slow"))

    assert wire.labelbox().perform(CreateRun(RUN), ids=IDS) == "x"

    assert wire.count(documents.CREATE_RUN) == 1


def test_a_run_that_never_shows_is_in_doubt_in_the_remotes_words() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs())
    wire.on(documents.CREATE_RUN, BAD_GATEWAY)

    with pytest.raises(InDoubt) as caught:
        wire.labelbox().perform(CreateRun(RUN), ids=IDS)

    assert caught.value.reason == (
        "502 Bad Gateway: bad gateway; run/vision/r1 may have been created, and could "
        "not be found when looked for 6 times"
    )
    assert wire.count(documents.CREATE_RUN) == 1
    assert wire.clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0]


@pytest.mark.parametrize("nothing", [None, {}])
def test_an_empty_run_that_has_appeared_is_taken(nothing: object) -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs(("r1", "theirs")))
    holding(wire, nothing)

    assert wire.labelbox().perform(CreateRun(RUN), ids=IDS) == "theirs"

    assert wire.count(documents.CREATE_RUN) == 0
    assert wire.variables(documents.RUN_ROWS) == [
        {"modelRunId": "theirs", "from": None, "first": 1}
    ]


@pytest.mark.parametrize(
    ("config_", "rows"),
    [
        ({"lr": 1}, []),
        ({"seed": 2**60}, []),
        (None, [("1", "a", "TEST")]),
    ],
)
@pytest.mark.parametrize("racing", [False, True])
def test_a_run_that_has_appeared_with_something_in_it_is_not_taken(
    config_: object, rows: list[tuple[str, str, str]], racing: bool
) -> None:
    wire = Wire()
    theirs = runs(("r1", "theirs"))
    wire.on(documents.MODEL_RUNS_NAMED, *([runs()] if racing else []), theirs)
    wire.on(documents.CREATE_RUN, refusal("exists", "RESOURCE_CONFLICT"))
    holding(wire, config_, *rows)

    with pytest.raises(Stale) as caught:
        wire.labelbox().perform(CreateRun(RUN), ids=IDS)

    assert caught.value.reason == (
        "run/vision/r1 has appeared since the plan was made, and is not empty"
    )
    assert caught.value.hint == "plan again, and look at what it holds"


def test_two_that_have_appeared_are_told_and_none_is_taken() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs(("r1", "a"), ("r1", "b")))

    with pytest.raises(
        RemoteError, match="2 objects of the name of run/vision/r1"
    ) as e:
        wire.labelbox().perform(CreateRun(RUN), ids=IDS)

    assert "a, b" in e.value.reason


def test_losing_a_race_for_a_name_is_finding_it() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs(), runs(("r1", "theirs")))
    wire.on(documents.CREATE_RUN, refusal("exists", "RESOURCE_CONFLICT"))
    holding(wire, None)

    assert wire.labelbox().perform(CreateRun(RUN), ids=IDS) == "theirs"


def test_a_refused_create_is_told() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs())
    wire.on(
        documents.CREATE_RUN, refusal("20 runs are enough", "OPERATION_NOT_ALLOWED")
    )

    with pytest.raises(Refused, match="20 runs are enough"):
        wire.labelbox().perform(CreateRun(RUN), ids=IDS)


def test_a_run_is_created_without_a_config() -> None:
    wire = Wire()
    wire.on(documents.MODEL_RUNS_NAMED, runs())
    wire.on(documents.CREATE_RUN, {"createModelRun": {"id": "r9"}})

    assert wire.labelbox().perform(CreateRun(RUN), ids=IDS) == "r9"

    assert wire.variables(documents.CREATE_RUN) == [
        {"name": "r1", "config": None, "modelId": "m1"}
    ]


def test_a_model_that_appeared_on_another_ontology_is_not_taken() -> None:
    wire = Wire()
    wire.on(documents.MODELS, models(("vision", "m1")))

    with pytest.raises(RemoteError, match="with the ontology o1, and should have o2"):
        wire.labelbox().perform(
            CreateModel(MODEL, ONTOLOGY), ids={ONTOLOGY: RemoteId("o2")}
        )


def test_a_dataset_is_described_only_when_it_has_a_description() -> None:
    wire = Wire()
    wire.on(documents.DATASETS, datasets())
    wire.on(documents.CREATE_DATASET, {"createDataset": {"id": "a"}})
    wire.on(documents.CREATE_DESCRIBED_DATASET, {"createDataset": {"id": "b"}})

    assert wire.labelbox().perform(CreateDataset(DATASET, None), ids={}) == "a"
    assert wire.labelbox().perform(CreateDataset(DATASET, "d"), ids={}) == "b"

    assert wire.variables(documents.CREATE_DESCRIBED_DATASET) == [
        {"name": "digits", "description": "d"}
    ]


def test_the_tools_of_an_ontology_get_colours() -> None:
    wire = Wire()
    wire.on(documents.ONTOLOGIES, ontologies(("shapes and more", "o0")))
    wire.on(documents.CREATE_ONTOLOGY, {"upsertOntology": {"id": "o1"}})
    tools: list[JsonValue] = [
        {"tool": "rectangle", "name": "a"},
        {"tool": "point", "name": "b"},
    ]

    found = wire.labelbox().perform(
        CreateOntology(ONTOLOGY, "IMAGE", {"tools": tools, "classifications": []}),
        ids={},
    )

    assert found == "o1"
    (given,) = wire.variables(documents.CREATE_ONTOLOGY)
    assert given["data"]["name"] == "shapes"
    assert given["data"]["mediaType"] == "IMAGE"
    assert json.loads(given["data"]["normalized"])["tools"] == [
        {"tool": "rectangle", "name": "a", "color": "#ff0000"},
        {"tool": "point", "name": "b", "color": "#00ffff"},
    ]

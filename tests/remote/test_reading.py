"""Finding what the manifests name, and telling what cannot be found."""

from typing import Any

import pytest

from reconciler.api import documents
from reconciler.diagnostics import InputError, Span
from reconciler.ports import (
    Incomplete,
    Malformed,
)
from reconciler.remote.session import Bounds
from reconciler.state.address import (
    RemoteId,
)
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Project,
    Run,
)
from reconciler.state.snapshot import (
    CurrentDataset,
    CurrentModel,
    CurrentOntology,
    CurrentProject,
    CurrentRun,
    Desired,
    JobState,
)
from tests.remote.said import (
    DATASET,
    JOB,
    MODEL,
    ONTOLOGY,
    PENDING_KEYS,
    RUN,
    dataset_page,
    datasets,
    desired,
    keys_result,
    managed,
    models,
    ontologies,
    runs,
)
from tests.remote.wire import Wire, refusal


def test_everything_that_is_named_is_found_by_its_exact_name() -> None:
    wire = Wire()
    wire.on(
        documents.ONTOLOGIES,
        ontologies(("Shapes", "o8"), ("shapes 2", "o9"), cursor="c"),
        ontologies(("shapes", "o1")),
    )
    wire.on(documents.DATASETS, datasets(("digits", "d1"), ("Digits", "d2")))
    wire.on(documents.MODELS, models(("vision", "m1"), ("vision-2", "m2")))
    wire.on(
        documents.MODEL_RUNS,
        {
            "model": {
                "modelRuns": [
                    {"id": "r1", "name": "r1", "trainingMetadata": {"lr": 1.0}},
                    {"id": "r2", "name": "other", "trainingMetadata": None},
                ]
            }
        },
    )

    found = wire.labelbox().read(
        desired(
            Ontology("shapes"),
            Dataset("digits"),
            Model("vision", ONTOLOGY),
            Run("vision", "r1", {"lr": 2}),
            Run("vision", "r2"),
        )
    )

    assert found.resources == {
        ONTOLOGY: CurrentOntology(
            id=RemoteId("o1"),
            name="shapes",
            media_type="IMAGE",
            schema={
                "tools": [
                    {
                        "tool": "rectangle",
                        "name": "cat",
                        "required": False,
                        "classifications": [],
                    }
                ],
                "classifications": [],
            },
        ),
        DATASET: CurrentDataset(
            id=RemoteId("d1"), name="digits", description=None, keys=None
        ),
        MODEL: CurrentModel(
            id=RemoteId("m1"), name="vision", ontology_id=RemoteId("o1"), run_count=2
        ),
        RUN: CurrentRun(id=RemoteId("r1"), model="vision", name="r1", config={"lr": 1}),
    }
    assert wire.count(documents.MODEL_RUNS) == 1


def test_the_runs_of_a_model_are_listed_only_when_some_are_declared() -> None:
    wire = Wire()
    wire.on(documents.MODELS, models(("vision", "m1")))

    wire.labelbox().read(desired(Model("vision", ONTOLOGY)))

    assert wire.count(documents.MODEL_RUNS) == 0


def listing(config: Any) -> Wire:
    """Have a run with a config, and beside it one that nobody declares."""
    wire = Wire()
    wire.on(documents.MODELS, models(("vision", "m1")))
    theirs = {"id": "r2", "name": "other", "trainingMetadata": ["what", "ever"]}
    run = {"id": "r1", "name": "r1", "trainingMetadata": config}
    wire.on(documents.MODEL_RUNS, {"model": {"modelRuns": [theirs, run]}})
    return wire


@pytest.mark.parametrize("config", [{"seed": 12345678901234567}, [1], "text", {"a": 1}])
def test_a_config_that_is_not_managed_is_not_looked_at(config: Any) -> None:
    found = (
        listing(config)
        .labelbox()
        .read(desired(Model("vision", ONTOLOGY), Run("vision", "r1")))
    )

    run = found.resources[RUN]
    assert isinstance(run, CurrentRun)
    assert run.config == {}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"opt": {"seeds": [1, 12345678901234567]}},
            "the config of run/vision/r1 can't be compared: opt.seeds.1: "
            "12345678901234567 is beyond 2^53, where JSON numbers lose digits",
        ),
        ([1], "the config of run/vision/r1: Expected `object | null`, got `array`"),
    ],
)
def test_a_managed_config_that_cannot_be_compared_is_told_with_run_and_place(
    config: Any, said: str
) -> None:
    remote = listing(config).labelbox()

    with pytest.raises(Malformed) as caught:
        remote.read(desired(Model("vision", ONTOLOGY), Run("vision", "r1", {})))

    assert caught.value.reason == said


def test_runs_are_listed_to_the_end() -> None:
    first = runs(*((f"r{n:03}", f"id{n}") for n in range(100)))
    wire = Wire()
    wire.on(documents.MODELS, models(("vision", "m1")))
    wire.on(documents.MODEL_RUNS, first, runs(("r1", "found")))

    current = wire.labelbox().read(
        desired(Model("vision", ONTOLOGY), Run("vision", "r1"))
    )

    assert current.id_of(RUN) == "found"


def test_a_listing_that_repeats_itself_is_no_listing() -> None:
    wire = Wire()
    wire.on(documents.MODELS, models(("vision", "m1")))
    wire.on(documents.MODEL_RUNS, runs(*((f"r{n:03}", f"id{n}") for n in range(100))))

    with pytest.raises(Incomplete, match="again and again"):
        wire.labelbox().read(desired(Model("vision", ONTOLOGY), Run("vision", "r1")))


def test_names_that_several_have_are_all_told_with_their_places() -> None:
    wire = Wire()
    wire.on(documents.DATASETS, datasets(("digits", "d2"), ("digits", "d1")))
    wire.on(documents.MODELS, models(("vision", "m1")))
    wire.on(documents.MODEL_RUNS, runs(("r1", "a"), ("r1", "b")))

    with pytest.raises(InputError) as caught:
        wire.labelbox().read(
            desired(Dataset("digits"), Model("vision", ONTOLOGY), Run("vision", "r1"))
        )

    assert [str(found) for found in caught.value.diagnostics] == [
        "a.yaml:1:1: 2 datasets are called 'digits': d1, d2 [ambiguous-name]",
        "a.yaml:3:1: 2 runs are called 'r1': a, b [ambiguous-name]",
    ]


def test_a_pin_tells_apart_what_has_the_same_name() -> None:
    wire = Wire()
    wire.on(
        documents.MODEL, {"model": {"id": "m2", "name": "vision", "ontologyId": "o"}}
    )
    wire.on(documents.MODEL_RUNS, runs(("r1", "a"), ("r1", "b")))

    found = wire.labelbox().read(
        desired(Model("vision", ONTOLOGY), Run("vision", "r1"), model="m2", run="b")
    )

    assert found.id_of(MODEL) == "m2"
    assert found.id_of(RUN) == "b"


def test_pins_that_fit_nothing_are_told() -> None:
    wire = Wire()
    wire.on(documents.ONTOLOGY, refusal("gone", "RESOURCE_NOT_FOUND"))
    wire.on(
        documents.DATASET,
        {"dataset": {"id": "d1", "name": "x", "description": None, "rowCount": 0}},
    )
    wire.on(documents.MODELS, models())

    with pytest.raises(InputError) as caught:
        wire.labelbox().read(
            desired(
                Ontology("shapes"),
                Dataset("digits"),
                Model("vision", ONTOLOGY),
                Run("vision", "r1"),
                ontology="o7",
                dataset="d1",
                run="r7",
            )
        )

    assert [str(found) for found in caught.value.diagnostics] == [
        "a.yaml:1:1: there is no ontology with the id o7 [wrong-id]",
        "a.yaml:2:1: the dataset with the id d1 is called 'x', not 'digits' [wrong-id]",
        "a.yaml:4:1: there is no run with the id r7 in model 'vision' [wrong-id]",
    ]


def test_what_is_only_referred_to_must_exist() -> None:
    wire = Wire()
    wire.on(documents.ONTOLOGIES, ontologies())
    wire.on(documents.DATASETS, datasets())

    with pytest.raises(InputError) as caught:
        wire.labelbox().read(desired(Ontology("shapes"), Dataset("digits")))

    assert [(d.code, d.span) for d in caught.value.diagnostics] == [
        ("not-found", Span("a.yaml", 1, 1)),
        ("not-found", Span("a.yaml", 2, 1)),
    ]


def test_what_would_be_created_may_be_absent() -> None:
    wire = Wire()
    wire.on(documents.ONTOLOGIES, ontologies())
    wire.on(documents.MODELS, models())

    found = wire.labelbox().read(
        desired(
            Ontology("shapes", schema={"tools": [], "classifications": []}),
            Model("vision", ONTOLOGY),
            Run("vision", "r1"),
        )
    )

    assert found.resources == {}


def test_an_ontology_of_another_shape_is_malformed() -> None:
    broken = ontologies(("shapes", "o1"))
    broken["ontologies"]["nodes"][0]["normalized"] = {"tools": "none"}
    wire = Wire()
    wire.on(documents.ONTOLOGIES, broken)

    with pytest.raises(Malformed, match="ontology o1: tools is no list"):
        wire.labelbox().read(desired(Ontology("shapes")))


def test_keys_of_a_managed_dataset_are_read_and_those_elsewhere_are_told() -> None:
    wire = Wire()
    wire.on(documents.DATASETS, datasets(("digits", "d1"), rows=3))
    wire.on(
        documents.DATASET_ROWS,
        dataset_page(("1", "a"), ("2", None), cursor="2"),
        dataset_page(("3", "b"), cursor="3"),
        dataset_page(cursor="4"),
    )
    wire.on(documents.KEYS, JOB)
    wire.on(documents.KEYS_RESULT, PENDING_KEYS, keys_result("new", denied=("secret",)))

    found = wire.labelbox().read(desired(managed("a", "b", "new", "theirs", "secret")))

    dataset = found.resources[DATASET]
    assert isinstance(dataset, CurrentDataset)
    assert dataset.keys == frozenset({"a", "b"})
    assert found.elsewhere == {DATASET: {"theirs", "secret"}}
    assert wire.variables(documents.KEYS) == [
        {"globalKeys": ["new", "secret", "theirs"]}
    ]


def test_keys_elsewhere_are_told_before_the_dataset_exists() -> None:
    wire = Wire()
    wire.on(documents.DATASETS, datasets())
    wire.on(documents.KEYS, JOB)
    wire.on(documents.KEYS_RESULT, keys_result("b"))

    found = wire.labelbox().read(desired(managed("a", "b")))

    assert found.resources == {}
    assert found.elsewhere == {DATASET: {"a"}}


def test_a_dataset_that_shifts_while_it_is_read_is_incomplete() -> None:
    wire = Wire()
    wire.on(documents.DATASETS, datasets(("digits", "d1"), rows=2))
    wire.on(
        documents.DATASET_ROWS,
        dataset_page(("1", "a"), cursor="1"),
        dataset_page(("1", "a"), cursor="2"),
    )

    with pytest.raises(Incomplete, match="1 came twice"):
        wire.labelbox().read(desired(managed("a")))


def test_unknown_keys_are_asked_about_in_sorted_batches() -> None:
    wire = Wire()
    wire.on(documents.KEYS, JOB)
    wire.on(documents.KEYS_RESULT, keys_result("a", denied=("c",)))
    keys = [GlobalKey(key) for key in "cadb"]

    found = wire.labelbox(Bounds(batch=2)).unknown_keys(keys)

    assert found == {"a", "c"}
    asked = sorted(given["globalKeys"] for given in wire.variables(documents.KEYS))
    assert asked == [["a", "b"], ["c", "d"]]


def listed_imports(*told: tuple[str, str]) -> dict[str, object]:
    nodes = [
        {"id": f"i{n}", "name": name, "state": state}
        for n, (name, state) in enumerate(told)
    ]
    return {"labelImports": nodes}


OURS = "reconciler labels 0of1 0123456789abcdef 1"


@pytest.mark.parametrize(
    ("states", "best"),
    [
        (("FAILED", "FINISHED"), JobState.FINISHED),
        (("RUNNING", "FAILED"), JobState.RUNNING),
        (("FINISHED", "RUNNING"), JobState.FINISHED),
    ],
)
def test_of_several_imports_of_a_name_the_best_counts_and_others_dont(
    states: tuple[str, ...], best: JobState
) -> None:
    wire = Wire()
    node = {"id": "p1", "name": "digits", "allowedMediaType": "IMAGE"}
    wire.on(documents.PROJECTS, {"projects": [node]})
    wire.on(documents.PROJECT_ONTOLOGY, {"project": {"ontology": None}})
    theirs = ("reconciler labels of mine", "FINISHED")
    told = [(OURS, state) for state in states]
    wire.on(documents.LABEL_IMPORTS, listed_imports(theirs, *told))
    project = Project("digits", ONTOLOGY, None, ())

    found = wire.labelbox().read(Desired(resources={project.address: project}))

    assert found.resources[project.address] == CurrentProject(
        id=RemoteId("p1"),
        name="digits",
        media_type="IMAGE",
        ontology_id=None,
        imports={OURS: best},
    )


def test_nobody_asks_for_the_imports_of_a_project_that_others_own() -> None:
    wire = Wire()
    nodes = [
        {"id": id_, "name": name, "allowedMediaType": None}
        for id_, name in (("p1", "digits"), ("p2", "Digits"))
    ]
    wire.on(documents.PROJECTS, {"projects": nodes})
    wire.on(documents.PROJECT_ONTOLOGY, {"project": {"ontology": {"id": "o1"}}})
    project = Project("digits")

    found = wire.labelbox().read(Desired(resources={project.address: project}))

    assert found.id_of(project.address) == "p1"
    assert wire.count(documents.LABEL_IMPORTS) == 0

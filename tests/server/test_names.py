"""What is made has a name."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.support.annotation_files import send
from tests.support.labelling import make_project

Gql = Callable[..., Any]

BLANK = " \t"


@pytest.fixture
def owners(gql: Gql, dataset: str, model: str) -> Mapping[str, str]:
    """Have one of everything, and know the ids by kind."""
    ontology = gql(
        "query M($m: ID!) { model(where: {id: $m}) { ontologyId } }", m=model
    )
    return {
        "dataset": dataset,
        "model": model,
        "project": make_project(gql),
        "ontology": ontology["model"]["ontologyId"],
    }


@pytest.mark.parametrize(
    ("kind", "owner", "mutation"),
    [
        ("a dataset", None, "createDataset(data: {name: $n})"),
        ("a project", None, "createProject(data: {name: $n})"),
        ("a dataset", "dataset", "updateDataset(where: {id: $id}, data: {name: $n})"),
        ("a project", "project", "updateProject(where: {id: $id}, data: {name: $n})"),
        (
            "an ontology",
            None,
            'upsertOntology(data: {name: $n, normalized: "{}"})',
        ),
        ("a model", "ontology", "createModel(data: {name: $n, ontologyId: $id})"),
        ("a run", "model", "createModelRun(data: {name: $n, modelId: $id})"),
        (
            "a slice",
            None,
            "createSlice(data: {name: $n, filter: []})",
        ),
    ],
)
@pytest.mark.parametrize("name", ["", BLANK])
def test_a_name_is_more_than_spaces(
    refused: Gql,
    owners: Mapping[str, str],
    kind: str,
    owner: str | None,
    mutation: str,
    name: str,
) -> None:
    given = {"n": name} if owner is None else {"n": name, "id": owners[owner]}
    declared = "$n: String!" if owner is None else "$n: String!, $id: ID!"

    code, message = refused(
        f"mutation M({declared}) {{ {mutation} {{ id }} }}", **given
    )

    assert (code, message) == (
        "BAD_USER_INPUT",
        f"the name of {kind} must not be empty",
    )


@pytest.mark.parametrize(
    ("mutation", "owner"),
    [
        ("createModelErrorAnalysisPredictionImport", "run"),
        ("createLabelImport", "project"),
    ],
)
def test_an_import_has_a_name(
    gql: Gql, http: httpx.Client, run: str, mutation: str, owner: str
) -> None:
    ontology = gql(
        'mutation { upsertOntology(data: {name: "o", normalized: "{}"}) { id } }'
    )["upsertOntology"]["id"]
    parent = run if owner == "run" else make_project(gql, ontology=ontology)

    (error,) = send(http, mutation, parent, b"{}", name=BLANK)["errors"]

    assert error["message"] == "the name of an import must not be empty"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"

import graphql
import pytest

from reconciler import api
from reconciler.api import documents
from reconciler.api.documents import Document, RequestClass, page

DOCUMENTS = {
    name: value
    for name, value in vars(documents).items()
    if isinstance(value, Document)
}


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    return graphql.build_schema(api.SCHEMA)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_document_is_valid_by_the_schema(
    document: Document, schema: graphql.GraphQLSchema
) -> None:
    assert graphql.validate(schema, graphql.parse(document.text)) == []


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_says_of_itself_what_it_is(document: Document) -> None:
    (operation,) = graphql.parse(document.text).definitions

    assert isinstance(operation, graphql.OperationDefinitionNode)
    assert operation.operation.value == document.kind
    assert operation.name is not None
    assert operation.name.value == document.name
    assert (document.request is RequestClass.READ) == (document.kind == "query")


def test_operations_are_named_apart() -> None:
    names = [document.name.lower() for document in DOCUMENTS.values()]

    assert sorted(names) == sorted(set(names))


def test_starting_an_export_changes_nothing() -> None:
    reading = {name for name, document in DOCUMENTS.items() if not document.changes}

    assert {name for name in reading if DOCUMENTS[name].kind == "mutation"} == {
        "EXPORT_RUN",
        "EXPORT_PROJECT",
        "EXPORT_CATALOG",
    }


def test_only_what_has_no_name_of_its_own_to_look_for_is_sent_again_in_doubt() -> None:
    created = {
        name
        for name, document in DOCUMENTS.items()
        if document.request is RequestClass.CREATE
    }

    assert created == {
        "CREATE_BATCH",
        "CREATE_DATASET",
        "CREATE_DESCRIBED_DATASET",
        "CREATE_LABEL_IMPORT",
        "CREATE_MODEL",
        "CREATE_ONTOLOGY",
        "CREATE_PREDICTION_IMPORT",
        "CREATE_PROJECT",
        "CREATE_RUN",
    }


def test_a_page_number_becomes_a_literal() -> None:
    assert "skip: 300, first: 100" in page(documents.MODELS, 3).text
    assert "skip: 0, first: 100" in page(documents.MODELS, 0).text

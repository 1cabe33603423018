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
    assert [name for name, document in DOCUMENTS.items() if document.changes] == [
        "CREATE_ONTOLOGY",
        "CREATE_DATASET",
        "CREATE_DESCRIBED_DATASET",
        "CREATE_MODEL",
        "CREATE_RUN",
        "DESCRIBE_DATASET",
        "UPDATE_CONFIG",
        "RESET_CONFIG",
        "ADD_ROWS",
        "ASSIGN_SPLITS",
        "REMOVE_ROWS",
        "UPSERT_DATA_ROWS",
        "UPLOAD_FILE",
    ]


def test_a_page_number_becomes_a_literal() -> None:
    assert "skip: 300, first: 100" in page(documents.MODELS, 3).text
    assert "skip: 0, first: 100" in page(documents.MODELS, 0).text

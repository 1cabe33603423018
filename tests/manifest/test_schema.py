from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.manifest.document import Source
from reconciler.manifest.schema import KINDS, json_schema
from reconciler.manifest.source import parse
from reconciler.manifest.validate import validate

REPOSITORY = Path(__file__).parents[2]
HEAD = "apiVersion: reconciler/v1\n"


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from _objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _objects(inner)


def _problems(text: str) -> list[str]:
    (document,) = parse(Source("a.yaml", text)).documents
    return [str(found) for found in validate(document)[1]]


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def test_the_json_schema_is_one() -> None:
    schema = json_schema()

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {name["$ref"].rpartition("/")[2] for name in schema["oneOf"]} == {
        shape.__name__ for shape in KINDS.values()
    }


def test_every_shape_is_closed_and_described_to_editors() -> None:
    shapes = [each for each in _objects(json_schema()) if "properties" in each]

    assert all(shape["additionalProperties"] is False for shape in shapes)
    assert all(shape["description"] for shape in shapes)


def test_every_field_has_a_description_and_an_example() -> None:
    incomplete = [
        f"{shape['title']}.{name}"
        for shape in _objects(json_schema())
        for name, field in shape.get("properties", {}).items()
        if isinstance(field, dict)
        and not ("description" in field and ("examples" in field or "const" in field))
    ]

    assert incomplete == []


def test_examples_are_right() -> None:
    schema = json_schema()
    wrong = [
        f"{shape['title']}.{name}: {example}"
        for shape in _objects(schema)
        for name, field in shape.get("properties", {}).items()
        for example in field.get("examples", ())
        if not Draft202012Validator({**field, "$defs": schema["$defs"]}).is_valid(
            example
        )
    ]

    assert wrong == []


def test_the_manifests_of_this_repository_are_right_to_editors(
    editor: Draft202012Validator,
) -> None:
    files = sorted((REPOSITORY / "specs").rglob("*.yaml"))
    documents = [
        document.data
        for file in files
        for document in parse(Source(file.name, file.read_text())).documents
    ]

    assert documents
    assert all(editor.is_valid(data) for data in documents)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Nothing\n",
        "kind: Model\nname: m\n",
        "kind: Model\nname: ' m'\nontology: o\n",
        "kind: Model\nname: m\nontology: o\nid: null\n",
        "kind: ModelRun\nmodel: m\nname: n\nconfig: {}\nconfigFrom: {name: x}\n",
        "kind: ModelRun\nmodel: m\nname: n\nrows: [a]\n",
        "kind: DataRows\nname: r\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\ndataRowIds: [b]\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\nsplits: {}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\nsplits: {lists: {test: [a]}}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\nsplits: {positions: {TEST: '1'}}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\n"
        "splits: {hash: {weights: {UNASSIGNED: 100}}}\n",
        "kind: Dataset\nname: d\nfiles: []\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\nselect: {dataset: d}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\nlock: a.lock\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\ndigest: sha256:0\n",
        "kind: DataRows\nname: r\nselect: {dataset: d, project: p}\n",
        "kind: DataRows\nname: r\nselect: {dataset: d, metadata: [{field: f}]}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\ngroup: {}\n",
        "kind: DataRows\nname: r\nglobalKeys: [a]\n"
        "waivers: [{check: frozen-trained-on, reason: x, expires: tomorrow}]\n",
        "kind: Project\nname: p\nlabels: []\n",
        "kind: Project\nname: p\nontology: o\n",
        "kind: ModelRun\nmodel: m\nname: n\nlabels: all\n",
        "kind: ModelRun\nmodel: m\nname: n\nlabels: {labelIds: [a], project: p}\n",
        "kind: ModelRun\nmodel: m\nname: n\nlabels: {}\n",
        "kind: ModelRun\nmodel: m\nname: n\nstatus: DONE\n",
        "kind: ModelRun\nmodel: m\nname: n\nmetrics: [{name: n, value: 1}]\n",
        "kind: ModelRun\nmodel: m\nname: n\nmetrics: [{file: a.csv, name: n}]\n",
        "kind: ModelRun\nmodel: m\nname: n\n"
        "metrics: [{file: a.csv, columns: {globalKey: k, name: n, tp: t}}]\n",
        "kind: ModelRun\nmodel: m\nname: '{a}'\nid: i\nmatrix: {axes: {a: [1]}}\n",
        "kind: ModelRun\nmodel: m\nname: '{a}'\nmatrix: {axes: {a: []}}\n",
        "kind: ModelRun\nmodel: m\nname: '{a}'\nmatrix: {axes: {a: [[1]]}}\n",
        "kind: Dataset\nname: d\nfiles: [{file: a.csv, columns: {globalKey: k}}]\n",
    ],
)
def test_editors_find_wrong_what_loading_finds_wrong(
    text: str, editor: Draft202012Validator
) -> None:
    (document,) = parse(Source("a.yaml", HEAD + text)).documents

    assert not editor.is_valid(document.data)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "kind: Model\nname: m\nontology: 1.5\n",
            "a.yaml:4:11: `ontology` takes a string, not the number 1.5 [wrong-type]",
        ),
        (
            "kind: Ontology\nname: o\ntools: [{tool: line, name: l, required: 1}]\n",
            "a.yaml:4:41: `tools[0].required` takes true or false, not the number 1 "
            "[wrong-type]",
        ),
        (
            "kind: Workspace\nname: w\nlimits: {batchSize: 1.5}\n",
            "a.yaml:4:21: `limits.batchSize` takes a whole number, not the number 1.5 "
            "[wrong-type]",
        ),
        (
            "kind: Workspace\nname: w\nlimits: {batchSize: '1'}\n",
            "a.yaml:4:21: `limits.batchSize` takes a whole number, not '1' "
            "[wrong-type]",
        ),
        (
            "kind: Workspace\nname: w\nlimits: {batchSize: true}\n",
            "a.yaml:4:21: `limits.batchSize` takes a whole number, not true "
            "[wrong-type]",
        ),
        (
            "kind: DataRows\nname: r\nglobalKeys: [{file: a.csv, colum: k}]\n",
            "a.yaml:4:28: `globalKeys[0]` has no field `colum` [unknown-field]",
        ),
        (
            "kind: ModelRun\nmodel: m\nname: n\nrows: {globalKeys: [{file: 3}]}\n",
            "a.yaml:5:28: `rows.globalKeys[0].file` takes a string, not the number 3 "
            "[wrong-type]",
        ),
        (
            "kind: Ontology\nname: o\nclassifications: [{type: radio, name: a, options: "
            "[{value: b, classifications: [{type: text, nam: c, name: d}]}]}]\n",
            "a.yaml:4:94: `classifications[0].options[0].classifications[0]` has no "
            "field `nam` [unknown-field]",
        ),
    ],
)
def test_a_problem_is_said_once_and_at_its_place(text: str, problem: str) -> None:
    assert _problems(HEAD + text) == [problem]


@pytest.mark.parametrize(
    "condition",
    [
        "{field: f, min: 2027-01-31T10:00:00Z, max: 2027-01-31}",
        "{field: f, min: 2027-01-31T10:00:00+02:00}",
        "{field: f, min: 1, max: 1.0}",
        "{field: f, equals: false}",
        "{field: f, equals: [1, a, 0.5, true]}",
    ],
)
def test_a_condition_is_a_value_or_a_range(
    condition: str, editor: Draft202012Validator
) -> None:
    text = f"kind: DataRows\nname: r\nselect: {{dataset: d, metadata: [{condition}]}}\n"
    (document,) = parse(Source("a.yaml", HEAD + text)).documents

    assert _problems(HEAD + text) == []
    assert editor.is_valid(document.data)

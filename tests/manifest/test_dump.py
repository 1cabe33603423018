"""Documents written as YAML, and what our own loader reads of them."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.document import Source
from reconciler.manifest.dump import dump
from reconciler.manifest.dump_documents import (
    can_be_declared,
    document,
    ontology_document,
)
from reconciler.manifest.ontology import read_ontology
from reconciler.manifest.schema import OntologyManifest
from reconciler.manifest.schema.ontology import ToolType
from reconciler.manifest.source import MAX_DEPTH, parse
from reconciler.manifest.validate import validate
from reconciler.state.canonical import EXACT, JsonObject, canonical_object
from reconciler.state.ontology import normalise_ontology
from reconciler.state.resources import Ontology

words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        [
            *("no", "Yes", "NULL", "~", "", "1e-4", "0x1F", "012", "12:30:45", ".inf"),
            *("2024-01-01", "- a", "a: b", "a #b", "<<", "=", "&a", "*a", "!t", "%"),
            *("\u2028", "\x85", "\ufeff", "\x7f", "\x00", "line\nline", "\U0001f600"),
        ]
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-EXACT + 1, EXACT - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    words,
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
    ),
)
documents = st.dictionaries(words, values, min_size=1, max_size=4)


def read(text: str) -> list[object]:
    parsed = parse(Source("dumped.yaml", text))
    assert parsed.diagnostics == ()
    return [document.data for document in parsed.documents]


@given(st.lists(documents.map(canonical_object), min_size=1, max_size=3))
def test_what_is_written_is_read_as_the_same(wanted: list[JsonObject]) -> None:
    found = read(dump(wanted))

    assert found == wanted
    assert [repr(one) for one in found] == [repr(one) for one in wanted]  # 1, not True


def test_documents_look_as_people_write_them() -> None:
    written = dump(
        [
            {"kind": "Model", "name": "big cats", "ontology": "no"},
            {
                "tools": [{"tool": "line", "options": ["a", "1"], "more": {}}, []],
                "config": {"lr": 1e-05, "seed": 42, "note": 'say "yes"\n'},
            },
        ]
    )

    assert written == (
        "kind: Model\n"
        "name: big cats\n"
        'ontology: "no"\n'
        "---\n"
        "tools:\n"
        "  - tool: line\n"
        "    options:\n"
        "      - a\n"
        '      - "1"\n'
        "    more: {}\n"
        "  - []\n"
        "config:\n"
        "  lr: 1e-05\n"
        "  seed: 42\n"
        '  note: "say \\"yes\\"\\n"\n'
    )


def test_a_key_of_any_length_can_be_read() -> None:
    wanted: JsonObject = {"k" * 2000: {"a b" * 1000: [1]}, "z": "v" * 5000}

    assert read(dump([wanted])) == [wanted]


def test_what_reorders_a_line_for_people_is_written_as_an_escape() -> None:
    assert dump([{"name": "a\u202eb\u2066"}]) == 'name: "a\\u202eb\\u2066"\n'


def test_values_are_written_as_deep_as_they_can_be_read() -> None:
    wanted: JsonObject = {"leaf": 1}
    for _ in range(MAX_DEPTH - 1):
        wanted = {"deeper": wanted}

    assert read(dump([wanted])) == [wanted]


names = st.text("aé7 /:#", min_size=1, max_size=4).filter(lambda it: it == it.strip())


def classifications(depth: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    if depth == 0:
        return st.just([])
    option: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {"value": names, "label": names, "options": classifications(depth - 1)}
    )
    asked: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {
            "type": st.sampled_from(["radio", "checklist", "text"]),
            "name": names,
            "instructions": names,
            "required": st.booleans(),
            "options": unique(option, "value", min_size=1),
        }
    )
    return unique(
        asked.map(lambda one: {**one, "options": []} if one["type"] == "text" else one),
        "name",
    )


def unique(
    items: st.SearchStrategy[dict[str, Any]], by: str, min_size: int = 0
) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        items, min_size=min_size, max_size=2, unique_by=lambda one: str(one[by])
    )


tools: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "tool": st.sampled_from(get_args(ToolType)),
        "name": names,
        "required": st.booleans(),
        "classifications": classifications(1),
    }
)
ontologies = st.builds(
    lambda tools, asked: normalise_ontology({"tools": tools, "classifications": asked}),
    unique(tools, "name"),
    st.tuples(classifications(2), st.sampled_from(["global", "index"])).map(
        lambda pair: [{**one, "scope": pair[1]} for one in pair[0]]
    ),
)


@given(ontologies, st.sampled_from([None, "IMAGE", "TEXT"]))
def test_an_ontology_that_is_written_is_read_as_the_same(
    schema: JsonObject, media_type: str | None
) -> None:
    wanted = Ontology("animals", media_type, schema)

    parsed = parse(Source("dumped.yaml", dump([ontology_document(wanted)])))
    manifest, problems = validate(parsed.documents[0])

    assert list(problems) == []
    assert isinstance(manifest, OntologyManifest)
    assert read_ontology(manifest) == wanted
    assert can_be_declared(wanted)


@pytest.mark.parametrize(
    "schema",
    [
        {"tools": [{"tool": "brush", "name": "a"}]},
        {"tools": [{"tool": "line", "name": " a"}]},
        {"tools": [{"tool": "line", "name": "a"}, {"tool": "point", "name": "a"}]},
        {"classifications": [{"type": "radio", "name": "a"}]},
    ],
    ids=["unknown tool", "space", "twice", "no options"],
)
def test_an_ontology_that_no_manifest_could_say_is_known(
    schema: dict[str, Any],
) -> None:
    assert not can_be_declared(Ontology("a", None, normalise_ontology(schema)))


def test_an_ontology_is_written_in_few_words() -> None:
    schema = normalise_ontology(
        {
            "tools": [{"tool": "line", "name": "lane"}],
            "classifications": [
                {"type": "radio", "name": "sky", "options": [{"value": "blue"}]}
            ],
        }
    )

    assert ontology_document(Ontology("road", None, schema)) == {
        "apiVersion": "reconciler/v1",
        "kind": "Ontology",
        "name": "road",
        "tools": [{"tool": "line", "name": "lane"}],
        "classifications": [{"type": "radio", "name": "sky", "options": ["blue"]}],
    }
    assert ontology_document(Ontology("road")) == document("Ontology", name="road")

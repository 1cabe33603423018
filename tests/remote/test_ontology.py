"""The form that a manifest's ontology and the remote's are compared in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.ontology import NotAnOntologyError, normalise_ontology

names = st.text(min_size=1, max_size=3)
texts = st.fixed_dictionaries({"type": st.just("text"), "name": names})
options = st.fixed_dictionaries(
    {"value": names}, optional={"options": st.lists(texts, max_size=2)}
)
radios = st.fixed_dictionaries(
    {"type": st.just("radio"), "name": names},
    optional={"required": st.booleans(), "options": st.lists(options, max_size=3)},
)
tools = st.fixed_dictionaries(
    {"tool": st.sampled_from(["rectangle", "point"]), "name": names},
    optional={"color": names, "classifications": st.lists(radios, max_size=2)},
)
ontologies = st.fixed_dictionaries(
    {}, optional={"tools": st.lists(tools), "classifications": st.lists(radios)}
)


def test_what_the_remote_adds_is_dropped_and_what_is_absent_takes_its_default() -> None:
    remote = {
        "tools": [
            {
                "tool": "rectangle",
                "name": "cat",
                "color": "#ff0000",
                "required": None,
                "schemaNodeId": "s",
                "featureSchemaId": "f",
                "attributes": None,
                "classifications": [{"type": "text", "instructions": "why"}],
            }
        ],
        "classifications": [
            {
                "type": "radio",
                "name": "light",
                "instructions": "Which light?",
                "required": True,
                "scope": None,
                "options": [
                    {"label": "Day", "value": "day"},
                    {"label": "night", "options": [{"type": "text", "name": "moon"}]},
                ],
            },
            {"type": "checklist", "name": "c", "scope": "index"},
        ],
        "relationships": [],
    }

    assert normalise_ontology(remote) == {
        "tools": [
            {
                "tool": "rectangle",
                "name": "cat",
                "required": False,
                "classifications": [
                    {
                        "type": "text",
                        "name": "why",
                        "instructions": "why",
                        "required": False,
                        "options": [],
                    }
                ],
            }
        ],
        "classifications": [
            {
                "type": "radio",
                "name": "light",
                "instructions": "Which light?",
                "required": True,
                "scope": "global",
                "options": [
                    {"value": "day", "label": "Day", "options": []},
                    {
                        "value": "night",
                        "label": "night",
                        "options": [
                            {
                                "type": "text",
                                "name": "moon",
                                "instructions": "moon",
                                "required": False,
                                "options": [],
                            }
                        ],
                    },
                ],
            },
            {
                "type": "checklist",
                "name": "c",
                "instructions": "c",
                "required": False,
                "scope": "index",
                "options": [],
            },
        ],
    }


@given(ontologies)
def test_normalising_twice_is_normalising_once(ontology: dict[str, Any]) -> None:
    once = normalise_ontology(ontology)

    assert normalise_ontology(once) == once


@pytest.mark.parametrize(
    ("ontology", "said"),
    [
        ({"tools": "none"}, "tools is no list"),
        ({"tools": ["cat"]}, "tools[0] is no mapping"),
        ({"tools": [{"tool": "point"}]}, "tools[0] has no name"),
        (
            {"tools": [{"tool": "point", "name": "a", "required": "yes"}]},
            "tools[0].required is neither true nor false",
        ),
        (
            {"classifications": [{"type": "radio", "name": "a", "options": [{}]}]},
            "classifications[0].options[0] has no value",
        ),
        (
            {"classifications": [{"type": "radio", "name": 7}]},
            "classifications[0].name is no text",
        ),
    ],
)
def test_another_shape_is_told_with_its_place(ontology: Any, said: str) -> None:
    with pytest.raises(NotAnOntologyError) as caught:
        normalise_ontology(ontology)

    assert str(caught.value) == said

"""What an ontology has, found by name or by schema id."""

from reconciler.annotations.features import Features
from tests.annotations.fitting import asks, option, tool


def test_an_ontology_may_lack_nearly_everything() -> None:
    assert list(Features.of({}).top.names) == []
    assert list(Features.of({"tools": None, "classifications": []}).top.names) == []

    bare = {"classifications": [{"type": "text", "instructions": "why?"}]}
    (feature,) = Features.of(bare).top.find("why?", None)
    assert (feature.name, feature.schema_id, feature.node_id) == ("why?", None, None)


def test_a_classification_is_called_by_its_name_and_by_what_it_asks() -> None:
    asked = asks("radio", "colour", instructions="Which colour?")
    top = Features.of({"classifications": [asked]}).top

    assert top.find("colour", None) == top.find("Which colour?", None)
    assert top.find("Colour", None) == ()


def test_an_option_is_called_by_its_value_and_by_its_label() -> None:
    asked = asks("radio", "colour", option(1, label="red"), option("2", label="1"))
    (feature,) = Features.of({"classifications": [asked]}).top.find("colour", None)

    assert [one.value for one in feature.options.find("red", None)] == ["1"]
    assert [one.value for one in feature.options.find("1", None)] == ["1", "2"]


def test_an_id_and_a_name_must_mean_the_same() -> None:
    made = [tool("point", name, featureSchemaId=name * 25) for name in "ab"]
    top = Features.of({"tools": made}).top

    assert [one.name for one in top.find("a", "a" * 25)] == ["a"]
    assert top.find("a", "b" * 25) == []
    assert top.find(None, "x" * 25) == ()
    assert top.find(None, None) == ()


def test_an_id_that_is_no_text_is_none() -> None:
    (feature,) = Features.of(
        {"tools": [tool("point", "a", featureSchemaId={}, schemaNodeId=[1])]}
    ).top.find("a", None)

    assert feature.ids == (None, None)


def test_a_feature_knows_what_is_below_it_at_any_depth() -> None:
    asked = asks("radio", "q", option("a", asks("checklist", "r", option("b"))))
    (feature,) = Features.of({"tools": [tool("point", "p", asked)]}).top.find("p", None)

    assert feature.below == {"q", "a", "r", "b"}

"""What there is to the documents that declare it."""

from reconciler.manifest.document import Source
from reconciler.manifest.dump import dump
from reconciler.manifest.ontology import check_ontology, read_ontology
from reconciler.manifest.schema import API_VERSION, OntologyManifest
from reconciler.manifest.source import parse
from reconciler.manifest.validate import validate
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.resources import Ontology


def document(kind: str, **fields: JsonValue) -> JsonObject:
    """Make a document; what is None is left out, as unmanaged.

    Args:
        kind: Of the document.
        fields: By the names that manifests use.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    return {"apiVersion": API_VERSION, "kind": kind, **given}


def can_be_declared(ontology: Ontology) -> bool:
    """Tell whether an ontology that exists is one that manifests may declare.

    It isn't if it has tools that nobody knows here, or names that aren't fit.
    """
    parsed = parse(Source("", dump([ontology_document(ontology)])))
    for one in parsed.documents:
        manifest, problems = validate(one)
        if not problems and isinstance(manifest, OntologyManifest):
            wrong = next(check_ontology(one, manifest), None)
            return wrong is None and read_ontology(manifest) == ontology
    return False


def ontology_document(ontology: Ontology) -> JsonObject:
    """Declare an ontology in full, in as few words as say the same."""
    schema = ontology.schema
    return document(
        "Ontology",
        name=ontology.name,
        mediaType=ontology.media_type,
        tools=None if schema is None else list(map(_tool, _objects(schema["tools"]))),
        classifications=None
        if schema is None
        else [_top(one) for one in _objects(schema["classifications"])],
    )


def _tool(tool: JsonObject) -> JsonObject:
    said: JsonObject = {"tool": tool["tool"], "name": tool["name"]}
    if tool["required"]:
        said["required"] = True
    if asked := _objects(tool["classifications"]):
        said["classifications"] = list(map(_inner, asked))
    return said


def _top(asked: JsonObject) -> JsonObject:
    said = _inner(asked)
    if asked["scope"] != "global":
        said["scope"] = asked["scope"]
    return said


def _inner(asked: JsonObject) -> JsonObject:
    said: JsonObject = {"type": asked["type"], "name": asked["name"]}
    if asked["instructions"] != asked["name"]:
        said["instructions"] = asked["instructions"]
    if asked["required"]:
        said["required"] = True
    if options := _objects(asked["options"]):
        said["options"] = list(map(_option, options))
    return said


def _option(option: JsonObject) -> JsonValue:
    below = _objects(option["options"])
    if option["label"] == option["value"] and not below:
        return option["value"]
    said: JsonObject = {"value": option["value"]}
    if option["label"] != option["value"]:
        said["label"] = option["label"]
    if below:
        said["classifications"] = list(map(_inner, below))
    return said


def _objects(items: JsonValue) -> list[JsonObject]:
    assert isinstance(items, list)
    return [item for item in items if isinstance(item, dict)]

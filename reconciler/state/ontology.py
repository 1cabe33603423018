"""An ontology's tools and classifications, reduced to what can be declared.

Both sides of a diff go through here: what a manifest says in few words, and
what a remote answers with ids, colours and nulls. Anything this form doesn't
name is the remote's own and is dropped, so that a field it invents tomorrow is
no difference.
"""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from reconciler.state.canonical import JsonObject, JsonValue


class NotAnOntologyError(ValueError):
    """A value that doesn't have the shape of an ontology; says where and why."""


def normalise_ontology(normalized: Mapping[str, object]) -> JsonObject:
    """Reduce an ontology to the one form that equal ontologies share.

    A tool is `{"tool", "name", "required", "classifications"}`; a classification
    `{"type", "name", "instructions", "required", "scope"?, "options"}`; an option
    `{"value", "label", "options"}`, where the options of an option are the
    classifications that are asked once it is chosen.

    What is absent or null takes its default: not required; instructions and name
    stand in for each other, and so do label and value; the scope of a top-level
    classification is `global`; lists are empty. The order of the lists is kept.

    Raises:
        NotAnOntologyError: When something has another shape.
    """
    return {
        "tools": [
            _tool(item, f"tools[{n}]") for n, item in _items(normalized, "tools", "")
        ],
        "classifications": [
            _classification(item, f"classifications[{n}]", scope="global")
            for n, item in _items(normalized, "classifications", "")
        ],
    }


def _tool(given: Mapping[str, object], where: str) -> JsonObject:
    return {
        "tool": _text(given, where, "tool"),
        "name": _text(given, where, "name"),
        "required": _flag(given, where, "required"),
        "classifications": [
            _classification(item, f"{where}.classifications[{n}]")
            for n, item in _items(given, "classifications", where)
        ],
    }


def _classification(
    given: Mapping[str, object], where: str, scope: str | None = None
) -> JsonObject:
    done: JsonObject = {
        "type": _text(given, where, "type"),
        "name": _text(given, where, "name", "instructions"),
        "instructions": _text(given, where, "instructions", "name"),
        "required": _flag(given, where, "required"),
        "options": [
            _option(item, f"{where}.options[{n}]")
            for n, item in _items(given, "options", where)
        ],
    }
    if given.get("scope") is not None:
        scope = _text(given, where, "scope")
    if scope is not None:
        done["scope"] = scope
    return done


def _option(given: Mapping[str, object], where: str) -> JsonObject:
    nested: list[JsonValue] = [
        _classification(item, f"{where}.options[{n}]")
        for n, item in _items(given, "options", where)
    ]
    return {
        "value": _text(given, where, "value", "label"),
        "label": _text(given, where, "label", "value"),
        "options": nested,
    }


def _text(given: Mapping[str, object], where: str, *fields: str) -> str:
    for field in fields:
        match given.get(field):
            case None:
                continue
            case str() as found:
                return found
            case _:
                raise NotAnOntologyError(f"{where}.{field} is no text")
    raise NotAnOntologyError(f"{where} has no {fields[0]}")


def _flag(given: Mapping[str, object], where: str, field: str) -> bool:
    match given.get(field):
        case None:
            return False
        case bool() as found:
            return found
        case _:
            raise NotAnOntologyError(f"{where}.{field} is neither true nor false")


def _items(
    given: Mapping[str, object], field: str, where: str
) -> list[tuple[int, Mapping[str, object]]]:
    found = given.get(field)
    if found is None:
        return []
    place = f"{where}.{field}" if where else field
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise NotAnOntologyError(f"{place} is no list")
    items = []
    for n, item in enumerate(found):
        if not _is_mapping(item):
            raise NotAnOntologyError(f"{place}[{n}] is no mapping")
        items.append((n, item))
    return items


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)

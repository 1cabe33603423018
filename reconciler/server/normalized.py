"""The JSON text of an ontology becomes an object whose every node has ids."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from reconciler.server.errors import bad_input

MAX_DEPTH: Final = 20
"""How deep classifications and options may nest."""

ID_LENGTH: Final = 36
"""The longest id that a client may bring along."""

_CHILDREN: Final = ("classifications", "options")


def name_nodes(text: str, ids: Iterator[str]) -> dict[str, Any]:
    """Read an ontology's schema, giving ids to the nodes that lack them.

    Args:
        text: `{"tools": […], "classifications": […]}`.
        ids: Where ids come from; each has 25 characters, as clients demand.

    Raises:
        ApiError: When the text isn't such an object.
    """
    schema = _object(text)
    return {
        **schema,
        "tools": _nodes(schema.get("tools"), ids, 0),
        "classifications": _nodes(schema.get("classifications"), ids, 0),
    }


def name_node(text: str, ids: Iterator[str]) -> dict[str, Any]:
    """Read a tool or a classification, giving ids to it and what is in it.

    Raises:
        ApiError: When the text is neither.
    """
    node = _object(text)
    if not isinstance(node.get("tool", node.get("type")), str):
        raise bad_input("normalized must have a `tool` or, a classification, a `type`")
    return _node(node, ids, 0)


def title(node: Mapping[str, Any]) -> str:
    """Tell what a tool or classification is called."""
    name = node.get("name") or node.get("instructions")
    return name if isinstance(name, str) else ""


def _object(text: str) -> dict[str, Any]:
    try:
        schema = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise bad_input(f"normalized is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise bad_input("normalized must be an object")
    return schema


def _nodes(nodes: object, ids: Iterator[str], depth: int) -> list[Any]:
    if nodes is None:
        return []
    if not isinstance(nodes, list) or not all(isinstance(one, dict) for one in nodes):
        raise bad_input("tools, classifications and options must be lists of objects")
    if depth > MAX_DEPTH:
        raise bad_input(f"the ontology nests deeper than {MAX_DEPTH} levels")
    return [_node(one, ids, depth) for one in nodes]


def _node(node: dict[str, Any], ids: Iterator[str], depth: int) -> dict[str, Any]:
    named = {
        **node,
        "schemaNodeId": _id(node.get("schemaNodeId"), ids),
        "featureSchemaId": _id(node.get("featureSchemaId"), ids),
    }
    for children in _CHILDREN:
        if children in node:
            named[children] = _nodes(node[children], ids, depth + 1)
    return named


def _id(given: object, ids: Iterator[str]) -> str:
    if not given:
        return next(ids)
    if not isinstance(given, str) or len(given) > ID_LENGTH:
        raise bad_input(f"an id is a text of at most {ID_LENGTH} characters")
    return given

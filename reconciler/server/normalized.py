"""The JSON text of an ontology becomes an object whose every node has ids."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from reconciler.server.errors import bad_input

MAX_DEPTH: Final = 20
"""How deep classifications and options may nest."""

_CHILDREN: Final = ("classifications", "options")


def name_nodes(text: str, ids: Iterator[str]) -> dict[str, Any]:
    """Read an ontology's schema, giving ids to the nodes that lack them.

    Args:
        text: `{"tools": […], "classifications": […]}`.
        ids: Where ids come from; each has 25 characters, as clients demand.

    Raises:
        ApiError: When the text isn't such an object.
    """
    try:
        schema = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_input(f"normalized is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise bad_input("normalized must be an object")
    return {
        **schema,
        "tools": _nodes(schema.get("tools"), ids, 0),
        "classifications": _nodes(schema.get("classifications"), ids, 0),
    }


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
        "schemaNodeId": node.get("schemaNodeId") or next(ids),
        "featureSchemaId": node.get("featureSchemaId") or next(ids),
    }
    for children in _CHILDREN:
        if children in node:
            named[children] = _nodes(node[children], ids, depth + 1)
    return named

"""What an ontology has, found by name or by schema id."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from reconciler.annotations.problems import Problem, hint, show

TEXTS: Final = frozenset({"text", "response-text", "prompt"})
RADIOS: Final = frozenset({"radio", "response-radio"})
CHECKLISTS: Final = frozenset({"checklist", "response-checklist"})


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One possible answer of a classification.

    Attributes:
        value: What answers say.
        label: What people see.
        schema_id: The id that the SDK calls `feature_schema_id`.
        node_id: The id that the SDK calls `schema_id`.
        classifications: What is asked once it is chosen.
    """

    value: str
    label: str
    schema_id: str | None
    node_id: str | None
    classifications: "Level[Feature]"

    @property
    def names(self) -> tuple[str, str]:
        """What an answer may call it."""
        return self.value, self.label

    @property
    def ids(self) -> tuple[str | None, str | None]:
        """The ids that an answer may give."""
        return self.schema_id, self.node_id


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A tool or a classification.

    Attributes:
        name: What annotations call it.
        instructions: What a classification asks; the name of a tool.
        type: As the ontology spells it: `rectangle`, `radio`, ...
        schema_id: The id that the SDK calls `feature_schema_id`.
        node_id: The id that the SDK calls `schema_id`.
        classifications: What is asked of an object.
        options: What a classification can be answered with.
        below: Names of all classifications and options below it, at any depth.
    """

    name: str
    instructions: str
    type: str
    schema_id: str | None
    node_id: str | None
    classifications: "Level[Feature]"
    options: "Level[Option]"
    below: frozenset[str]

    @property
    def names(self) -> tuple[str, str]:
        """What an annotation may call it."""
        return self.name, self.instructions

    @property
    def ids(self) -> tuple[str | None, str | None]:
        """The ids that an annotation may give."""
        return self.schema_id, self.node_id


Node = TypeVar("Node", bound=Feature | Option)


class Level(Generic[Node]):
    """Features or options beside each other, found by name or id."""

    __slots__ = ("_by_id", "_by_name")

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._by_name: dict[str, tuple[Node, ...]] = {}
        self._by_id: dict[str, tuple[Node, ...]] = {}
        for node in nodes:
            for name in set(node.names):
                self._by_name[name] = (*self._by_name.get(name, ()), node)
            for identifier in {one for one in node.ids if one is not None}:
                self._by_id[identifier] = (*self._by_id.get(identifier, ()), node)

    @property
    def names(self) -> Iterable[str]:
        """All names, in the order of the ontology."""
        return self._by_name

    def find(self, name: str | None, schema_id: str | None) -> Sequence[Node]:
        """Find what is meant: nothing, one, or several that nothing tells apart.

        Args:
            name: Its exact name; with a schema id, both must fit.
            schema_id: Either of its ids.
        """
        if schema_id is None:
            return () if name is None else self._by_name.get(name, ())
        found = self._by_id.get(schema_id, ())
        if name is None:
            return found
        return [node for node in found if name in node.names]

    def explain(
        self,
        name: str | None,
        schema_id: str | None,
        *,
        what: str,
        owner: str,
        prefix: str,
    ) -> Problem:
        """Say why `find` didn't find the one that is meant.

        Args:
            name: What it was asked for.
            schema_id: The same.
            what: What is looked for: feature, classification or option.
            owner: Where it is looked for.
            prefix: The place in the row, up to the fields of the name.
        """
        if name is None and schema_id is None:
            return Problem(
                "MissingField",
                f"{prefix}name is missing: the {what} is named by it, or by schemaId",
                f"{prefix}name",
            )
        if len(self.find(name, schema_id)) > 1:
            return Problem(
                f"Ambiguous{what.capitalize()}",
                f"{owner} has several {what}s named {show(name or schema_id)}; "
                "say by schemaId which is meant",
                f"{prefix}name" if name else f"{prefix}schemaId",
            )
        unknown = f"Unknown{what.capitalize()}"
        if schema_id is None:
            near = hint(name or "", self.names)
            message = f"{owner} has no {what} {show(name)}{near}"
            return Problem(unknown, message, f"{prefix}name")
        if known := self._by_id.get(schema_id):
            message = (
                f"the schema id {show(schema_id)} is that of "
                f"{show(known[0].names[0])}, not of {show(name)}"
            )
        else:
            message = f"{owner} has no {what} with the schema id {show(schema_id)}"
        return Problem(unknown, message, f"{prefix}schemaId")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The tools and classifications of an ontology.

    Attributes:
        top: Those that annotations are made with.
    """

    top: Level[Feature]

    @classmethod
    def of(cls, normalized: Mapping[str, Any]) -> "Features":
        """Read a normalized ontology: `{"tools": [...], "classifications": [...]}`.

        What is absent or null takes its default: the name of a classification and
        its instructions stand in for each other, and so do value and label.
        """
        tools = [_feature(node, "tool") for node in _nodes(normalized, "tools")]
        asked = _classifications(normalized, "classifications")
        return cls(Level([*tools, *asked]))


def _feature(node: Mapping[str, Any], kind: str) -> Feature:
    name = _text(node, "name", "instructions")
    return Feature(
        name=name,
        instructions=_text(node, "instructions", "name") if kind == "type" else name,
        type=_text(node, kind),
        schema_id=_id(node, "featureSchemaId"),
        node_id=_id(node, "schemaNodeId"),
        classifications=Level(_classifications(node, "classifications")),
        options=Level([_option(one) for one in _nodes(node, "options")]),
        below=frozenset(_names_below(node)),
    )


def _option(node: Mapping[str, Any]) -> Option:
    return Option(
        value=_text(node, "value", "label"),
        label=_text(node, "label", "value"),
        schema_id=_id(node, "featureSchemaId"),
        node_id=_id(node, "schemaNodeId"),
        classifications=Level(_classifications(node, "options")),
    )


def _classifications(node: Mapping[str, Any], field: str) -> list[Feature]:
    return [_feature(one, "type") for one in _nodes(node, field)]


def _names_below(node: Mapping[str, Any]) -> Iterator[str]:
    for child in (*_nodes(node, "classifications"), *_nodes(node, "options")):
        for field in ("name", "instructions", "value", "label"):
            if child.get(field) is not None:
                yield str(child[field])
        yield from _names_below(child)


def _nodes(node: Mapping[str, Any], field: str) -> Sequence[Mapping[str, Any]]:
    return node.get(field) or ()


def _id(node: Mapping[str, Any], field: str) -> str | None:
    found = node.get(field)
    return found if isinstance(found, str) else None


def _text(node: Mapping[str, Any], *fields: str) -> str:
    # The value of an option may be a number; answers give it as text.
    return next((str(node[one]) for one in fields if node.get(one) is not None), "")

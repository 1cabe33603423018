"""Annotations made by one ontology become annotations of another.

A mapping says what becomes of features, by schema ids. What it doesn't name is
left out, but for what hangs below a mapped feature: a nested classification or
an answer that isn't mapped is taken for the one of the same name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from reconciler.annotations.features import Feature, Features, Level, Option
from reconciler.annotations.rows import read_uuid
from reconciler.server.lines import Line, uuid_of

ANSWERS: Final = ("answer", "answers")
_NAMES: Final = ("name", "schemaId", "schema_id")

Node = TypeVar("Node", Feature, Option)


@dataclass(frozen=True, slots=True)
class Passage:
    """From one ontology to another.

    Attributes:
        source: What annotations were made with.
        target: What they shall be made with.
        becomes: Schema ids of the source, and those of the target.
    """

    source: Features
    target: Features
    becomes: Mapping[str, str]


def carry(line: Line, passage: Passage) -> Line | None:
    """Make an annotation one of the other ontology; None when it has no place there."""
    feature = only(passage.source.top, _text(line, "name"), _id(line))
    if feature is None:
        return None
    goal = _mapped(feature, passage.target.top, passage.becomes)
    if goal is None:
        return None
    given = {
        key: value if _is_plain(key) else msgspec.json.decode(value)
        for key, value in line.items()
        if key not in _NAMES
    }
    moved = _below(given, feature, goal, passage.becomes)
    if moved is None:
        return None
    return {
        key: value
        if isinstance(value, msgspec.Raw)
        else msgspec.Raw(msgspec.json.encode(value))
        for key, value in {**_named(goal), **moved}.items()
    }


def related(lines: Sequence[Line]) -> list[Line]:
    """Leave out the relationships of which one end is missing."""
    there = {uuid_of(line) for line in lines}
    return [line for line in lines if _ends(line) <= there]


def confidence_of(line: Line) -> float:
    """Say how sure a prediction is: the line, or the surest of its answers.

    What doesn't say is sure, as the API's users are told.
    """
    if "confidence" in line:
        found = msgspec.json.decode(line["confidence"])
        return 1.0 if found is None else float(found)
    answers = [one for one in _answers(line) if one.get("confidence") is not None]
    return max((float(one["confidence"]) for one in answers), default=1.0)


def only(level: Level[Node], name: str | None, schema_id: str | None) -> Node | None:
    """Find the one feature or option of a name; None when there is none, or several."""
    found = level.find(name, schema_id)
    return found[0] if len(found) == 1 else None


def schema_ids(normalized: Any) -> Iterator[str]:
    """Give all schema ids of an ontology, at any depth."""
    match normalized:
        case dict():
            for key, value in normalized.items():
                if key in {"featureSchemaId", "schemaNodeId"} and value:
                    yield value
                else:
                    yield from schema_ids(value)
        case list():
            for value in normalized:
                yield from schema_ids(value)
        case _:
            pass


def _below(
    given: dict[str, Any], source: Feature, target: Feature, becomes: Mapping[str, str]
) -> dict[str, Any] | None:
    moved = dict(given)
    if given.get("classifications"):
        moved["classifications"] = _questions(
            given["classifications"],
            source.classifications,
            target.classifications,
            becomes,
        )
    for key in ANSWERS:
        if key not in given:
            continue
        answer = _answer(given[key], source, target, becomes)
        if answer is None:
            return None
        moved[key] = answer
    return moved


def _questions(
    given: Sequence[dict[str, Any]],
    source: Level[Feature],
    target: Level[Feature],
    becomes: Mapping[str, str],
) -> list[dict[str, Any]]:
    found = []
    for one in given:
        feature = only(source, one.get("name"), _plain_id(one))
        goal = feature and _counterpart(feature, target, becomes)
        if feature is None or goal is None:
            continue
        rest = {key: value for key, value in one.items() if key not in _NAMES}
        moved = _below(rest, feature, goal, becomes)
        if moved is not None:
            found.append({**_named(goal), **moved})
    return found


def _answer(
    given: Any, source: Feature, target: Feature, becomes: Mapping[str, str]
) -> Any:
    match given:
        case dict():
            return _option(given, source, target, becomes)
        case [{"value": _}, *_]:
            # The text of a video, frame by frame.
            return given
        case []:
            # Nothing was chosen, which is an answer too.
            return given
        case list():
            found = [_option(one, source, target, becomes) for one in given]
            return [one for one in found if one is not None] or None
        case _:
            return given


def _option(
    given: dict[str, Any],
    source: Feature,
    target: Feature,
    becomes: Mapping[str, str],
) -> dict[str, Any] | None:
    option = only(source.options, given.get("name"), _plain_id(given))
    goal = option and _counterpart(option, target.options, becomes)
    if option is None or goal is None:
        return None
    moved = {key: value for key, value in given.items() if key not in _NAMES}
    if given.get("classifications"):
        moved["classifications"] = _questions(
            given["classifications"],
            option.classifications,
            goal.classifications,
            becomes,
        )
    return {"name": goal.value, **_schema(goal), **moved}


def _mapped(node: Node, level: Level[Node], becomes: Mapping[str, str]) -> Node | None:
    for identifier in node.ids:
        if identifier is not None and identifier in becomes:
            return only(level, None, becomes[identifier])
    return None


def _counterpart(
    node: Node, level: Level[Node], becomes: Mapping[str, str]
) -> Node | None:
    if any(identifier in becomes for identifier in node.ids):
        return _mapped(node, level, becomes)
    return only(level, node.names[0], None)


def _named(goal: Feature) -> dict[str, Any]:
    return {"name": goal.name, **_schema(goal)}


def _schema(goal: Feature | Option) -> dict[str, Any]:
    return {} if goal.schema_id is None else {"schemaId": goal.schema_id}


def _is_plain(key: str) -> bool:
    # Geometry goes through as it is.
    return key != "classifications" and key not in ANSWERS


def _text(line: Line, key: str) -> str | None:
    found = msgspec.json.decode(line[key]) if key in line else None
    return found if isinstance(found, str) else None


def _id(line: Line) -> str | None:
    return _text(line, "schemaId") or _text(line, "schema_id")


def _plain_id(given: Mapping[str, Any]) -> str | None:
    return given.get("schemaId") or given.get("schema_id")


def _answers(line: Line) -> list[dict[str, Any]]:
    for key in ANSWERS:
        if key in line:
            found = msgspec.json.decode(line[key])
            options = found if isinstance(found, list) else [found]
            return [one for one in options if isinstance(one, dict)]
    return []


def _ends(line: Line) -> set[str | None]:
    if "relationship" not in line:
        return set()
    relation = msgspec.json.decode(line["relationship"])
    return {
        read_uuid(relation[end]) for end in ("source", "target") if relation.get(end)
    }

"""What answers say, at any depth, and on frames."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.annotations.content_places import count, number
from reconciler.annotations.features import Feature, Level, Option
from reconciler.annotations.rows import (
    Answer,
    Frames,
    Nested,
    Row,
    answers_of,
    metrics_of,
    schema_id_of,
)
from reconciler.state.canonical import JsonObject, JsonValue, canonical_bytes

_NO_FEATURES: Final = Level[Feature](())
_NO_OPTIONS: Final = Level[Option](())


def is_timed(row: Row) -> bool:
    """Tell whether answers hold on some frames only."""
    if row.frames is not None:
        return True
    answers = answers_of(row)
    if answers is None or isinstance(answers, str):
        return False
    return any(one.frames is not None for one in answers)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans of frames, ends included, that meet or follow each other."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def heading(
    given: Row | Nested | Answer,
    node: Feature | Option | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> JsonObject:
    """Say what something is made with, and how sure a model was of it.

    Args:
        given: What was imported.
        node: What the ontology has of it; None takes the name as it is.
        marks: Whether confidences and custom metrics count.
    """
    if isinstance(node, Feature):
        name: str | None = node.instructions
    elif node is not None:
        name = node.label
    else:
        name = given.name if given.name is not None else schema_id_of(given)
    content: JsonObject = {"name": name}
    if marks:
        if given.confidence is not None:
            content["confidence"] = number(given.confidence)
        if metrics := metrics_of(given):
            content["customMetrics"] = in_order(
                [{"name": one.name, "value": number(one.value)} for one in metrics]
            )
    return content


def nested_contents(
    given: Sequence[Nested],
    owner: Feature | Option | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> list[JsonValue]:
    """Say what is answered below an object or an option."""
    level = owner.classifications if owner else _NO_FEATURES
    contents = []
    for one in given:
        found = level.find(one.name, schema_id_of(one))
        feature = found[0] if found else None
        content = heading(one, feature, marks)
        content["answer"] = answer_content(answers_of(one) or (), feature, marks)
        contents.append(content)
    return in_order(contents)


def answer_content(
    answers: str | Sequence[Answer],
    feature: Feature | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> JsonValue:
    """Say what was answered: a text, or options with all that is below them."""
    if isinstance(answers, str):
        return answers
    return in_order([_option(one, feature, marks) for one in answers])


def _option(
    answer: Answer,
    feature: Feature | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> JsonObject:
    options = feature.options if feature else _NO_OPTIONS
    found = options.find(answer.name, schema_id_of(answer))
    option = found[0] if found else None
    content = heading(answer, option, marks)
    if answer.value is not None:
        content["value"] = answer.value
    if answer.classifications:
        content["classifications"] = nested_contents(
            answer.classifications, option, marks
        )
    return content


def frames_content(
    row: Row,
    feature: Feature | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> JsonObject:
    """Say what holds where something begins to hold, and where anything does.

    What begins without changing what held before is left out.
    """
    spans = _spans(row, feature, marks)
    segments = merged((frames.start, frames.end) for frames, _ in spans)
    states: list[JsonValue] = []
    before: JsonValue = None
    for start in sorted({frames.start for frames, _ in spans}):
        there = [one for at, one in spans if at.start <= start <= at.end]
        state = _state(there)
        if state != before:
            states.append([count(start), state])
        before = state
    return {"states": states, "segments": spans_content(segments)}


def _spans(
    row: Row,
    feature: Feature | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> list[tuple[Frames, str | JsonObject | None]]:
    answers = answers_of(row)
    spans: list[tuple[Frames, str | JsonObject | None]] = []
    if isinstance(answers, str):
        return [(frames, answers) for frames in row.frames or ()]
    for one in answers or ():
        said = one.value if one.value is not None else _option(one, feature, marks)
        spans += [(frames, said) for frames in one.frames or row.frames or ()]
    if not answers:
        # A checklist of which nothing was chosen, which is an answer too.
        spans = [(frames, None) for frames in row.frames or ()]
    return spans


def _state(there: Sequence[str | JsonObject | None]) -> JsonValue:
    for one in there:
        if isinstance(one, str):
            return one
    options = {canonical_bytes(one): one for one in there if isinstance(one, dict)}
    return in_order([*options.values()])


def spans_content(spans: Iterable[tuple[int, int]]) -> JsonValue:
    """Write spans of frames, ends included."""
    return [[count(start), count(end)] for start, end in spans]


def in_order(contents: Sequence[JsonObject]) -> list[JsonValue]:
    """Sort what has no order: by name, then by canonical bytes."""
    if len(contents) > 1:
        by_name = sorted(contents, key=_name)
        if len({_name(one) for one in by_name}) < len(by_name):
            by_name.sort(key=lambda one: (_name(one), canonical_bytes(one)))
        return [*by_name]
    return [*contents]


def _name(content: JsonObject) -> str:
    return str(content["name"])

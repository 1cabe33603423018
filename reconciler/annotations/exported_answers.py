"""Exported classifications become answers of imports again, at any depth."""

from collections.abc import Iterable, Sequence

from reconciler.annotations.exported_shapes import (
    CannotReadError,
    Chosen,
    Classification,
    Named,
    TextAnswer,
    Weighed,
)
from reconciler.state.canonical import JsonObject, JsonValue


def heading(given: Named) -> JsonObject:
    """Say what something is made with: by name, else by schema id.

    Raises:
        CannotReadError: When it has neither.
    """
    if given.name is not None:
        return {"name": given.name}
    if given.feature_schema_id is not None:
        return {"schemaId": given.feature_schema_id}
    raise CannotReadError("an annotation without a name")


def weights(given: Weighed) -> JsonObject:
    """Say how sure a model was, and what else it counted."""
    said: JsonObject = {}
    if given.confidence is not None:
        said["confidence"] = given.confidence
    if given.custom_metrics:
        said["customMetrics"] = [
            {"name": one.name, "value": one.value} for one in given.custom_metrics
        ]
    return said


def classification_row(given: Classification) -> JsonObject:
    """Make the line of an answer, without uuid.

    Raises:
        CannotReadError: When it has no answer, or one without its frames.
    """
    row = heading(given) | weights(given)
    if given.message_id is not None:
        row["messageId"] = given.message_id
    text = given.text_answer or given.conversational_text_answer
    if text is not None:
        return row | _text(text)
    one = given.radio_answer or given.conversational_radio_answer
    if one is not None:
        return row | {"answer": _option(one)}
    several = (
        given.checklist_answers
        if given.checklist_answers is not None
        else given.conversational_checklist_answers
    )
    if several is None:
        raise CannotReadError(f"the classification {given.name!r} without an answer")
    return row | {"answer": [_option(one) for one in several]}


def nested_rows(given: Iterable[Classification] | None) -> JsonObject:
    """Say what is answered below an object or an option; nothing if nothing is.

    Raises:
        CannotReadError: As for other answers.
    """
    rows: Sequence[JsonValue] = [classification_row(one) for one in given or ()]
    return {"classifications": [*rows]} if rows else {}


def _text(given: TextAnswer) -> JsonObject:
    return weights(given) | {"answer": given.content}


def _option(given: Chosen) -> JsonObject:
    if given.content is not None:
        raise CannotReadError("a text that holds on frames, below another answer")
    return heading(given) | weights(given) | nested_rows(given.classifications)

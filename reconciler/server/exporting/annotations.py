"""Lines of imports become the annotations of an export.

The shapes are those of Labelbox's export reference. Where it says nothing:

- A feature's id is computed from its label and its uuid, so that it is the same
  in every export.
- Confidence and custom metrics are where the import has them: on an object, on
  an answer, or on a whole classification.
- A mask in a picture of several has `mask` and `composite_mask`, the second with
  its colour; one that came as pixels has the URL of a file of ours; run lengths
  stay what they are.
- Boxes on pages keep their unit, because nobody knows how large a page is.
- The uuid of a line is at the top of what it became, as `uuid`. That key is ours:
  Labelbox's exports don't tell it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

from reconciler.annotations.features import (
    CHECKLISTS,
    RADIOS,
    Feature,
    Features,
    Level,
    Option,
)
from reconciler.annotations.rows import (
    Answer,
    Mask,
    Nested,
    Relation,
    Row,
    answers_of,
    metrics_of,
    read_uuid,
    schema_id_of,
)
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.exporting.shapes import camel_case, kind_prefix, shape_of

NameParts: TypeAlias = Callable[[str], str]
"""Gives the id of a part of a label, see `part_ids`."""

_NO_FEATURES: Final = Level[Feature](())
_NO_OPTIONS: Final = Level[Option](())


@dataclass(frozen=True, slots=True)
class Reader:
    """How lines are read.

    Attributes:
        features: The ontology that they were made with.
        media_type: What the data is; None for what nobody knows.
        masks: Where pixels go.
        marks: Whether confidences and custom metrics count.
        uuids: Whether to say with which uuid a line was imported.
        headings: What was found out about each feature and option.
    """

    features: Features
    media_type: str | None
    masks: MaskFiles
    marks: bool
    uuids: bool = False
    headings: dict[Feature | Option, Mapping[str, Any]] = field(default_factory=dict)

    def feature(self, given: Row | Nested, level: Level[Feature]) -> Feature | None:
        """Find which feature is meant; None when the ontology has changed."""
        found = level.find(given.name, schema_id_of(given))
        return found[0] if found else None

    def heading(
        self, part: str, node: Feature | Option | None, given: Row | Nested | Answer
    ) -> dict[str, Any]:
        """Say which feature or option something is: its ids, name and value."""
        if node is None:
            return {
                "feature_id": part,
                "feature_schema_id": schema_id_of(given),
                "name": given.name,
                "value": machine_name(given.name or ""),
            }
        known = self.headings.get(node)
        if known is None:
            known = self.headings[node] = _describe(node)
        return {"feature_id": part, **known}

    def identify(self, seed: str) -> dict[str, Any]:
        """Say the uuid of a line, given what tells it from others of its label."""
        return {"uuid": seed} if self.uuids and not seed.startswith("#") else {}

    def weigh(self, given: Row | Nested | Answer) -> dict[str, Any]:
        """Say how sure a model was, and what else it counts."""
        found: dict[str, Any] = {}
        if self.marks:
            if given.confidence is not None:
                found["confidence"] = given.confidence
            if metrics := metrics_of(given):
                found["custom_metrics"] = metrics
        return found


def object_of(
    reader: Reader, name: NameParts, seed: str, row: Row
) -> dict[str, Any] | None:
    """Make an object of a line; None when it is something else."""
    if row.mask is not None:
        kind = f"{kind_prefix(reader.media_type)}SegmentationMask"
        body = mask_body(reader.masks, row.mask)
    elif row.message_task is not None:
        kind = camel_case(row.message_task.format)
        body = {machine_name(row.message_task.format): row.message_task.data}
    elif (shape := shape_of(row, reader.media_type)) is not None:
        kind, body = shape
    else:
        return None
    feature = reader.feature(row, reader.features.top)
    return {
        **reader.heading(name(seed), feature, row),
        "annotation_kind": kind,
        **reader.weigh(row),
        "classifications": nested_of(reader, name, seed, row.classifications, feature),
        **body,
    }


def mask_body(masks: MaskFiles, mask: Mask) -> dict[str, Any]:
    """Say where a mask is."""
    if mask.url is not None:
        url = masks.renewed(mask.url)
        composite = {"url": url, "color_rgb": mask.colour}
        return {"mask": {"url": url}, "composite_mask": composite}
    if mask.png is not None:
        return {"mask": {"url": masks.url(mask.png)}}
    return {"mask": {"size": mask.size, "counts": mask.counts}}


def nested_of(
    reader: Reader,
    name: NameParts,
    seed: str,
    given: Iterable[Nested] | None,
    owner: Feature | Option | None,
) -> list[dict[str, Any]]:
    """Make the classifications below an object or an answer."""
    level = owner.classifications if owner else _NO_FEATURES
    return [
        classification_of(
            reader, name, f"{seed}/{n}", one, feature=reader.feature(one, level)
        )
        for n, one in enumerate(given or ())
    ]


def classification_of(
    reader: Reader,
    name: NameParts,
    seed: str,
    given: Row | Nested,
    *,
    feature: Feature | None,
    answers: str | Sequence[Answer] | None = None,
    message_id: str | None = None,
) -> dict[str, Any]:
    """Make a classification, with all that is below it.

    Args:
        reader: How lines are read.
        name: Names the label's parts.
        seed: What tells this classification from others of the label.
        given: What was imported.
        feature: What the ontology has of it.
        answers: Those that count; all of them when None.
        message_id: The message of a conversation that it is about.
    """
    if answers is None:
        answers = answers_of(given)
    if answers is None:
        answers = ()
    found = reader.heading(name(seed), feature, given)
    prefix = ""
    if message_id is not None:
        found["message_id"] = message_id
        prefix = "conversational_"
    if isinstance(answers, str):
        found[f"{prefix}text_answer"] = {"content": answers, **reader.weigh(given)}
        return found
    found |= reader.weigh(given)
    chosen = [
        _answer(reader, name, f"{seed}:{n}", one, feature)
        for n, one in enumerate(answers)
    ]
    if _is_radio(given, feature, chosen):
        found[f"{prefix}radio_answer"] = chosen[0]
    else:
        found[f"{prefix}checklist_answers"] = chosen
    return found


def relationship_of(
    reader: Reader, name: NameParts, seed: str, row: Row, relation: Relation
) -> dict[str, Any]:
    """Make a relationship between two objects of a label."""
    both = f"{relation.type}_relationship"
    ends: dict[str, Any] = {}
    if relation.source is not None:
        ends["source"] = name(read_uuid(relation.source) or relation.source)
    if relation.source_ontology_name is not None:
        ends["source_ontology_name"] = relation.source_ontology_name
    ends["target"] = name(read_uuid(relation.target) or relation.target)
    if relation.readonly is not None:
        ends["readonly"] = relation.readonly
    feature = reader.feature(row, reader.features.top)
    # Conversations are texts here: so the reference has it.
    prefix = kind_prefix(reader.media_type).removeprefix("Conversational")
    found = {
        **reader.heading(name(seed), feature, row),
        "annotation_kind": f"{prefix}{camel_case(both)}",
        **reader.weigh(row),
        both: ends,
    }
    if row.classifications:
        asked = nested_of(reader, name, seed, row.classifications, feature)
        found["classifications"] = asked
    return found


def _answer(
    reader: Reader, name: NameParts, seed: str, given: Answer, feature: Feature | None
) -> dict[str, Any]:
    if given.value is not None:
        return {"content": given.value}
    options = feature.options if feature else _NO_OPTIONS
    found = options.find(given.name, schema_id_of(given))
    option = found[0] if found else None
    return {
        **reader.heading(name(seed), option, given),
        **reader.weigh(given),
        "classifications": nested_of(reader, name, seed, given.classifications, option),
    }


def _is_radio(
    given: Row | Nested, feature: Feature | None, chosen: Sequence[object]
) -> bool:
    if len(chosen) != 1:
        return False
    if feature is not None and feature.type in RADIOS | CHECKLISTS:
        return feature.type in RADIOS
    return isinstance(given.answer, Answer)


def _describe(node: Feature | Option) -> dict[str, Any]:
    if isinstance(node, Feature):
        name, value = node.instructions, machine_name(node.name)
    else:
        name, value = node.label, node.value
    return {"feature_schema_id": node.schema_id, "name": name, "value": value}


@lru_cache(maxsize=4096)
def machine_name(name: str) -> str:
    """Spell a name as the app does for programs: `named-entity` as `named_entity`."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())

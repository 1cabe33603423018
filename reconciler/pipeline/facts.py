"""What a run has, and what is declared of it, in the form that digests compare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from reconciler.annotations.content import contents_of, label_hash, metric_content
from reconciler.annotations.digests import Facts, Part, RowFacts
from reconciler.annotations.exported import exported_content
from reconciler.annotations.features import Feature, Features
from reconciler.annotations.rows import Row, decode, schema_id_of
from reconciler.rows.digest import keyless
from reconciler.state.canonical import JsonObject, canonical_object
from reconciler.state.contents import RunRow, Survey, SurveyedRun
from reconciler.state.labels import LabelIds, LabelPins
from reconciler.state.resources import Ontology, RowIdentity, Run
from reconciler.state.uploads import Family, Uploads

# --- What a remote has


def row_facts(row: RunRow, media_type: str | None) -> RowFacts:
    """Say what a run has of a data row.

    Args:
        row: As it is exported.
        media_type: What the data is, as the API spells it.

    Raises:
        CannotReadError: When an annotation has a form that nobody knows.
    """
    labels = [
        label_hash(exported_content(entry, media_type=media_type, marks=False))
        for entry in row.labels
    ]
    predictions = [
        content
        for entry in row.predictions
        for content in exported_content(entry, media_type=media_type, marks=True)
    ]
    metrics = [metric_content(msgspec.convert(line, Row)) for line in row.metrics]
    return RowFacts(
        split=row.split,
        label=" ".join(sorted(labels)) or None,  # a remote that allows several
        predictions=label_hash(predictions) if predictions else None,
        metrics=label_hash(metrics) if metrics else None,
    )


@dataclass(frozen=True)
class Exported:
    """What an export says of a run.

    Attributes:
        facts: What the run has; rows by global key, or by `<TAB>id` without one.
        names: What `facts` calls each data row, by id.
    """

    facts: Facts
    names: Mapping[str, str]


def exported_facts(
    survey: Survey,
    run: SurveyedRun,
    batches: Iterable[Sequence[RunRow]],
) -> Exported:
    """Collect what a run has.

    Args:
        survey: The run's model.
        run: The run.
        batches: Its rows, with predictions.

    Raises:
        CannotReadError: When an annotation has a form that nobody knows.
    """
    rows: dict[str, RowFacts] = {}
    names: dict[str, str] = {}
    label_ids: set[str] = set()
    for batch in batches:
        for row in batch:
            name = names[row.id] = keyless(row.id) if row.key is None else row.key
            rows[name] = row_facts(row, survey.media_type)
            label_ids.update(str(entry["id"]) for entry in row.labels if "id" in entry)
    return Exported(facts_of(survey, run, rows, frozenset(label_ids)), names)


def facts_of(
    survey: Survey,
    run: SurveyedRun,
    rows: Mapping[str, RowFacts],
    label_ids: frozenset[str] | None = None,
) -> Facts:
    """Put together what is known of a run that exists."""
    return Facts(
        said=frozenset(Part),
        config=run.config,
        ontology=_ontology(survey.media_type, survey.schema),
        status=run.status,
        rows=rows,
        label_ids=label_ids,
    )


# --- What is declared


def declared_facts(
    run: Run,
    ontology: Ontology | None,
    uploads: Iterable[Uploads],
    features: Features,
    names: Mapping[str, str],
) -> Facts:
    """Say what a run should have, as far as it is declared.

    Args:
        run: The run.
        ontology: That of its model; None, or without a schema, when others own it.
        uploads: What it should be sent.
        features: What the ontology has.
        names: Global keys, or what stands for one, by data row id: of what is
            declared by id.
    """
    said: set[Part] = set()
    rows: dict[str, RowFacts] = {}

    def rename(name: str, by: RowIdentity) -> str:
        return names.get(name, name) if by is RowIdentity.DATA_ROW_ID else name

    if run.config is not None:
        said.add(Part.CONFIG)
    if ontology is not None and ontology.schema is not None:
        said.add(Part.ONTOLOGY)
    if run.status is not None:
        said.add(Part.STATUS)
    if run.rows is not None:
        said.add(Part.MEMBERS)
        if run.rows.assigns_splits:
            said.add(Part.SPLITS)
        for name, split in run.rows:
            rows[rename(name, run.rows.by)] = RowFacts(split)
    label_ids = None
    match run.labels:
        case LabelPins(labels=pins):
            said.add(Part.LABELS)
            # One lock may serve several runs, and pin rows that this one hasn't.
            for name, pin in pins.items():
                if run.rows is None or name in rows:
                    rows[name] = rows.get(name, RowFacts())._replace(label=pin.content)
        case LabelIds(ids=ids):
            said.add(Part.LABELS)
            label_ids = frozenset[str](ids)
        case None:
            pass
    for sent in uploads:
        part = Part(sent.family.value)
        said.add(part)
        for name, found in _sent(sent, features).items():
            known = rename(name, sent.by)
            row = rows.get(known, RowFacts())
            rows[known] = (
                row._replace(predictions=found)
                if part is Part.PREDICTIONS
                else row._replace(metrics=found)
            )
    return Facts(
        said=frozenset(said),
        config=run.config or {},
        ontology=_ontology(ontology.media_type, ontology.schema)
        if ontology and ontology.schema is not None
        else {},
        status=run.status,
        rows=rows,
        label_ids=label_ids,
    )


def _sent(uploads: Uploads, features: Features) -> dict[str, str]:
    """Hash what every row is sent; all lines of a row are in one chunk."""
    found: dict[str, str] = {}
    for chunk in uploads.chunks:
        lines: dict[str, list[tuple[Row, Feature | None]]] = {}
        for line in chunk.lines:
            row = decode(line)
            assert row.data_row is not None
            name = row.data_row.global_key or row.data_row.id or ""
            lines.setdefault(name, []).append((row, _feature(row, features)))
        for name, said in lines.items():
            found[name] = label_hash(
                [metric_content(row) for row, _ in said]
                if uploads.family is Family.METRICS
                else contents_of(said, marks=True, features=features)
            )
    return found


def _feature(row: Row, features: Features) -> Feature | None:
    found = features.top.find(row.name, schema_id_of(row))
    return found[0] if found else None


def _ontology(media_type: str | None, schema: JsonObject | None) -> JsonObject:
    return canonical_object({"mediaType": media_type, "schema": schema})

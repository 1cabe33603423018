"""Ontologies and the models on them: created or adopted, and never edited."""

from reconciler.plan.changes import Blocked, Change, FieldChange
from reconciler.plan.diffing.given import (
    Differences,
    Differing,
    Given,
    created,
    existing,
)
from reconciler.plan.fields import diff_fields
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import Model, Ontology
from reconciler.state.snapshot import CurrentModel, CurrentOntology


def diff_ontology(wanted: Ontology, given: Given, found: Differences) -> Change:
    """Compare an ontology; a difference is held back."""
    address = wanted.address
    there = given.current.resources.get(address)
    if there is None:
        fields = diff_fields({}, _fields(wanted.media_type, wanted.schema))
        return created(wanted, given, Differing(fields=fields))
    assert isinstance(there, CurrentOntology)
    media_type = there.media_type if wanted.media_type else None
    schema = None if wanted.schema is None else there.schema
    differing = diff_fields(
        _fields(media_type, schema), _fields(wanted.media_type, wanted.schema)
    )
    if differing:
        where = ", ".join(_dotted(one) for one in differing[:3])
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        found.blocked.append(
            Blocked(
                code="ontology-differs",
                address=address,
                message=f"the ontology on the remote differs at {where}{more}; "
                "models and labels depend on it, so it is never edited from here",
                allow="make the manifest say what the remote has, or declare an "
                "ontology of another name",
            )
        )
    return existing(wanted, given, there.id, reference=wanted.schema is None)


def diff_model(wanted: Model, given: Given, found: Differences) -> Change:
    """Compare a model; another ontology is held back."""
    there = given.current.resources.get(wanted.address)
    if there is None:
        fields = diff_fields({}, {"ontology": wanted.ontology.name})
        return created(wanted, given, Differing(fields=fields))
    assert isinstance(there, CurrentModel)
    if there.ontology_id != given.current.id_of(wanted.ontology):
        found.blocked.append(
            Blocked(
                code="model-ontology",
                address=wanted.address,
                message=f"the model exists on another ontology than "
                f"{wanted.ontology.name!r}, and a model's ontology can't change",
                allow="refer to the ontology it has, or declare a model of "
                "another name",
            )
        )
    return existing(wanted, given, there.id)


def _fields(media_type: str | None, schema: JsonObject | None) -> JsonObject:
    fields: JsonObject = dict(schema or {})
    if media_type is not None:
        fields["mediaType"] = media_type
    return fields


def _dotted(change: FieldChange) -> str:
    return ".".join(map(str, change.path))

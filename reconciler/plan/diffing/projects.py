"""Labelling projects, and the ground truth that files bring into them."""

from reconciler.plan.changes import MISSING, Blocked, Change, FieldChange
from reconciler.plan.diffing.given import (
    Differences,
    Differing,
    Given,
    created,
    existing,
)
from reconciler.plan.diffing.sending import diff_uploads
from reconciler.plan.uploads import Destination
from reconciler.state.address import Address
from reconciler.state.resources import Ontology, Project
from reconciler.state.snapshot import CurrentOntology, CurrentProject


def diff_project(wanted: Project, given: Given, found: Differences) -> Change:
    """Compare a project; another ontology than the declared one is held back."""
    there = given.current.resources.get(wanted.address)
    if wanted.labels is None:
        assert there is not None, "a missing reference ends the read"
        return existing(wanted, given, there.id, reference=True)
    assert wanted.ontology is not None, "labels need an ontology"
    connected = FieldChange(("ontology",), MISSING, wanted.ontology.name)
    media_type = _media_type(wanted.ontology, given)
    if there is None:
        if media_type is None:
            found.blocked.append(_without_media_type(wanted, wanted.ontology))
        differing = Differing(
            fields=(FieldChange(("mediaType",), MISSING, media_type), connected),
            uploads=diff_uploads(wanted.address, project_destination(None), given),
            media_type=media_type,
        )
        return created(wanted, given, differing)
    assert isinstance(there, CurrentProject)
    if there.ontology_id not in (None, given.current.id_of(wanted.ontology)):
        found.blocked.append(_other_ontology(wanted, wanted.ontology))
    differing = Differing(
        fields=(connected,) if there.ontology_id is None else (),
        uploads=diff_uploads(wanted.address, project_destination(there), given),
        media_type=media_type,
    )
    return existing(wanted, given, there.id, differing)


def project_destination(there: CurrentProject | None) -> Destination:
    """Say where labels go; there is nothing yet where the project doesn't exist."""
    if there is None:
        return Destination(id=None)
    return Destination(id=there.id, imports=there.imports)


def _media_type(ontology: Address, given: Given) -> str | None:
    declared = given.desired.resources.get(ontology)
    if isinstance(declared, Ontology) and declared.media_type is not None:
        return declared.media_type
    there = given.current.resources.get(ontology)
    return there.media_type if isinstance(there, CurrentOntology) else None


def _without_media_type(wanted: Project, ontology: Address) -> Blocked:
    return Blocked(
        code="project-media-type",
        address=wanted.address,
        message=f"a project is for one media type, and {ontology} names none",
        allow=f"give {ontology} a mediaType",
    )


def _other_ontology(wanted: Project, ontology: Address) -> Blocked:
    return Blocked(
        code="project-ontology",
        address=wanted.address,
        message=f"the project exists with another ontology than {ontology.name!r}; "
        "its labels depend on it, so it is never replaced from here",
        allow="refer to the ontology it has, or declare a project of another name",
    )

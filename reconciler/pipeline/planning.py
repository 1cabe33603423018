"""What is there, compared with what is declared: a plan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.pipeline.comparing import (
    compare_all_labels,
    compare_all_rows,
    read_statuses,
)
from reconciler.pipeline.questions import (
    elsewhere,
    unchecked_ids,
    unchecked_label_ids,
    unknown_keys,
)
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.uploading import Schemas
from reconciler.plan.build import Plan, build
from reconciler.plan.changes import Notice
from reconciler.plan.guards import Allowance
from reconciler.state.address import Address, model_address
from reconciler.state.labels import LabelPins
from reconciler.state.resources import (
    Dataset,
    Model,
    Ontology,
    Project,
    Resource,
    Run,
)
from reconciler.state.snapshot import Current, CurrentOntology, Desired


def make_plan(session: Session, *, allowed: Iterable[Allowance] = ()) -> Plan:
    """Read what is there, compare it, and say what to do; change nothing.

    Raises:
        InputError: For what only the remote can tell is wrong with the
            manifests: all of it.
        RemoteError: When anything can't be read whole.
    """
    given = session.specification
    workspace = given.workspace
    reader = session.reader
    desired = _needed(given.desired, given.selected)
    current = reader.read(desired)
    uploads = session.prepared.uploads(
        desired, _schemas(desired, current), workspace.limits.predictions_per_job
    )
    rows = compare_all_rows(desired, current, reader)
    problems = [
        *elsewhere(desired, current),
        *unknown_keys(desired, rows, reader),
    ]
    if problems:
        raise InputError(problems)
    inventory = session.ledger.recall()
    labels = compare_all_labels(
        desired,
        current,
        reader,
        uploads=uploads,
        inventory=inventory,
        organisation=session.target.organisation,
    )
    return build(
        workspace=workspace.name,
        target=session.target,
        desired=desired,
        current=current,
        rows=rows,
        labels=labels,
        uploads=uploads,
        statuses=read_statuses(desired, current, reader, rows=rows, labels=labels),
        inventory=inventory,
        guards=workspace.guards,
        run_limit=workspace.limits.runs_per_model,
        allowed=allowed,
        batch_size=workspace.limits.batch_size,
        selected=given.selected,
        selection=given.selection,
        notices=(
            *reader.notices(),
            *map(_warning, given.desired.warnings),
            *unchecked_ids(rows),
            *unchecked_label_ids(labels),
        ),
    )


def converged(
    session: Session,
    *,
    allowed: Iterable[Allowance] = (),
    sleep: Callable[[float], None],
    pauses: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
) -> Plan:
    """Plan again after an apply; the plan is settled if all went as it should.

    A remote may answer from before a write for a moment, so a plan that isn't
    settled is made again after each of the pauses before it is believed.
    """
    permitted = tuple(allowed)
    plan = make_plan(session, allowed=permitted)
    for pause in pauses:
        if plan.settled:
            break
        sleep(pause)
        plan = make_plan(session, allowed=permitted)
    return plan


def _needed(desired: Desired, selected: frozenset[Address] | None) -> Desired:
    """Leave out what isn't selected, and what nothing selected leans on."""
    if selected is None:
        return desired
    needed = set(selected)
    rows_matter = False
    # Objects are gone through from the one that needs to the one that is needed.
    for kind in (Run, Project, Model):
        for address, resource in desired.resources.items():
            if address in needed and isinstance(resource, kind):
                needed |= _leans_on(resource)
                rows_matter |= isinstance(resource, Run)
    if rows_matter:
        needed.update(one.address for one in desired.datasets())
    return replace(
        desired,
        resources={
            address: resource
            for address, resource in desired.resources.items()
            if address in needed
        },
    )


def _leans_on(resource: Resource) -> set[Address]:
    match resource:
        case Run(model=model, labels=LabelPins(project=Address() as project)):
            return {model_address(model), project}
        case Run(model=model):
            return {model_address(model)}
        case Project(ontology=ontology, dataset=dataset):
            return {one for one in (ontology, dataset) if one is not None}
        case Model(ontology=ontology):
            return {ontology}
        case Ontology() | Dataset():
            return set()


def _schemas(desired: Desired, current: Current) -> Schemas:
    """Say what is known of ontologies: what manifests say, or else what is there."""
    found = {}
    for ontology in desired.ontologies():
        there = current.resources.get(ontology.address)
        schema, media_type = ontology.schema, ontology.media_type
        if isinstance(there, CurrentOntology):
            schema = there.schema if schema is None else schema
            media_type = media_type or there.media_type
        if schema is not None:
            found[ontology.address] = (schema, media_type)
    return found


def _warning(found: Diagnostic) -> Notice:
    place = f"{found.span}: " if found.span else ""
    return Notice(code=found.code, message=f"{place}{found.message}")

"""The remote to `Current`: everything that the manifests name, but rows of runs.

Nothing is guessed: a name that several objects have, and a pin that fits none,
are told with their places in the manifests, all of them at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.plan.jobs import parse_label_job
from reconciler.remote.finding import (
    Named,
    dataset_by_id,
    datasets_named,
    label_imports,
    model_by_id,
    models_named,
    ontologies_named,
    ontology_by_id,
    project_by_id,
    project_ontology,
    projects_named,
    runs_of,
)
from reconciler.remote.keys import look_up
from reconciler.remote.payloads import DatasetNode
from reconciler.remote.rows import dataset_keys
from reconciler.remote.session import Session, in_parallel
from reconciler.state.address import Address, Kind, RemoteId
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Project,
    Run,
)
from reconciler.state.snapshot import (
    Current,
    CurrentProject,
    CurrentResource,
    Desired,
    JobState,
)

N = TypeVar("N", bound=Named)

_BEST: Final = (JobState.FINISHED, JobState.RUNNING, JobState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one of several independent reads found."""

    resources: Mapping[Address, CurrentResource] = field(default_factory=dict)
    elsewhere: Mapping[Address, frozenset[GlobalKey]] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()


def read(session: Session, desired: Desired) -> Current:
    """Find everything that the manifests name; see `ports.Reader.read`."""
    runs: dict[str, list[Run]] = {}
    for run in desired.runs():
        runs.setdefault(run.model, []).append(run)
    parts = in_parallel(
        [
            *(partial(_ontology, session, desired, o) for o in desired.ontologies()),
            *(partial(_dataset, session, desired, d) for d in desired.datasets()),
            *(partial(_project, session, desired, p) for p in desired.projects()),
            *(
                partial(_model, session, desired, m, runs.get(m.name, ()))
                for m in desired.models()
            ),
        ]
    )
    if problems := [problem for part in parts for problem in part.problems]:
        raise InputError(problems)
    return Current(
        resources={
            address: found
            for part in parts
            for address, found in part.resources.items()
        },
        elsewhere={
            address: keys for part in parts for address, keys in part.elsewhere.items()
        },
    )


def _ontology(session: Session, desired: Desired, ontology: Ontology) -> _Part:
    found = _find(
        desired,
        ontology.address,
        by_id=partial(ontology_by_id, session),
        by_name=partial(ontologies_named, session),
    )
    match found:
        case Diagnostic():
            return _Part(problems=(found,))
        case None if ontology.schema is None:
            return _Part(problems=(_not_found(desired, ontology.address),))
        case None:
            return _Part()
        case _:
            return _Part(resources={ontology.address: found.current()})


def _dataset(session: Session, desired: Desired, dataset: Dataset) -> _Part:
    found = _find(
        desired,
        dataset.address,
        by_id=partial(dataset_by_id, session),
        by_name=partial(datasets_named, session),
    )
    if isinstance(found, Diagnostic):
        return _Part(problems=(found,))
    if dataset.data_rows is not None:
        return _managed(session, dataset.address, dataset.data_rows, found)
    if found is None:
        return _Part(problems=(_not_found(desired, dataset.address),))
    return _Part(resources={dataset.address: found.current()})


def _managed(
    session: Session,
    address: Address,
    declared: Mapping[GlobalKey, object],
    found: DatasetNode | None,
) -> _Part:
    keys: frozenset[GlobalKey] = frozenset()
    resources: dict[Address, CurrentResource] = {}
    if found is not None:
        keys = dataset_keys(session, RemoteId(found.id), row_count=found.row_count)
        resources[address] = replace(found.current(), keys=keys)
    absent = declared.keys() - keys
    elsewhere = absent - look_up(session, absent).missing if absent else frozenset()
    return _Part(
        resources=resources,
        elsewhere={address: frozenset(elsewhere)} if elsewhere else {},
    )


def _project(session: Session, desired: Desired, project: Project) -> _Part:
    found = _find(
        desired,
        project.address,
        by_id=partial(project_by_id, session),
        by_name=partial(projects_named, session),
    )
    match found:
        case Diagnostic():
            return _Part(problems=(found,))
        case None if project.labels is None:
            return _Part(problems=(_not_found(desired, project.address),))
        case None:
            return _Part()
        case _:
            managed = project.labels is not None
            current = CurrentProject(
                id=RemoteId(found.id),
                name=found.name,
                media_type=found.allowed_media_type,
                ontology_id=project_ontology(session, found.id),
                imports=_imports(session, found.id) if managed else {},
            )
            return _Part(resources={project.address: current})


def _imports(session: Session, project: str) -> Mapping[str, JobState]:
    """List our imports of labels; of several of a name, what came of the best."""
    found: dict[str, JobState] = {}
    for job in label_imports(session, project):
        if parse_label_job(job.name) is not None:
            known = found.get(job.name, job.state)
            found[job.name] = min(known, job.state, key=_BEST.index)
    return found


def _model(
    session: Session, desired: Desired, model: Model, runs: Sequence[Run]
) -> _Part:
    found = _find(
        desired,
        model.address,
        by_id=partial(model_by_id, session),
        by_name=partial(models_named, session),
    )
    if isinstance(found, Diagnostic):
        return _Part(problems=(found,))
    if found is None:
        return _Part(problems=_pins_in_nothing(desired, runs))
    current = found.current()
    if not runs:
        return _Part(resources={model.address: current})
    listed = runs_of(session, found.id)
    resources: dict[Address, CurrentResource] = {
        model.address: replace(current, run_count=len(listed))
    }
    by_name: dict[str, list[Named]] = {}
    for node in listed:
        by_name.setdefault(node.name, []).append(node)
    by_id = {node.id: node for node in listed}
    problems = []
    for run in runs:
        one = _find(
            desired,
            run.address,
            by_id=by_id.get,
            by_name=lambda name: by_name.get(name, []),
        )
        if isinstance(one, Diagnostic):
            problems.append(one)
        elif one is not None:
            resources[run.address] = by_id[one.id].current(
                run.address, managed=run.config is not None
            )
    return _Part(resources=resources, problems=tuple(problems))


def _find(
    desired: Desired,
    address: Address,
    *,
    by_id: Callable[[str], N | None],
    by_name: Callable[[str], Sequence[N]],
) -> N | Diagnostic | None:
    pin = desired.pins.get(address)
    if pin is not None:
        pinned = by_id(pin)
        if pinned is not None and pinned.name == address.name:
            return pinned
        return _wrong_id(desired, address, pin, pinned)
    match by_name(address.name):
        case []:
            return None
        case [only]:
            return only
        case several:
            return _ambiguous(desired, address, [node.id for node in several])


def _ambiguous(desired: Desired, address: Address, ids: list[str]) -> Diagnostic:
    return Diagnostic(
        code="ambiguous-name",
        message=f"{len(ids)} {_PLURALS[address.kind]} are called {address.name!r}: "
        f"{', '.join(sorted(ids))}",
        span=desired.origins.get(address),
        hint="add `id:` with the one that is meant",
    )


def _wrong_id(
    desired: Desired, address: Address, pin: RemoteId, found: Named | None
) -> Diagnostic:
    if found is None:
        of = f" in model {address.path[0]!r}" if address.kind is Kind.RUN else ""
        message = f"there is no {address.kind} with the id {pin}{of}"
    else:
        message = (
            f"the {address.kind} with the id {pin} is called {found.name!r}, "
            f"not {address.name!r}"
        )
    return Diagnostic(
        code="wrong-id", message=message, span=desired.origins.get(address)
    )


def _not_found(desired: Desired, address: Address) -> Diagnostic:
    return Diagnostic(
        code="not-found",
        message=f"there is no {address.kind} called {address.name!r}, "
        "and the manifests only refer to it",
        span=desired.origins.get(address),
        hint=f"check the name, or describe the {address.kind} so that it is created",
    )


def _pins_in_nothing(desired: Desired, runs: Sequence[Run]) -> tuple[Diagnostic, ...]:
    """Tell of runs that are pinned, while their model doesn't even exist."""
    return tuple(
        _wrong_id(desired, run.address, desired.pins[run.address], None)
        for run in runs
        if run.address in desired.pins
    )


_PLURALS: Mapping[Kind, str] = {
    Kind.ONTOLOGY: "ontologies",
    Kind.DATASET: "datasets",
    Kind.PROJECT: "projects",
    Kind.MODEL: "models",
    Kind.RUN: "runs",
}

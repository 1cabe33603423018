"""What is declared for imports, made ready to be sent: read, checked, and cut."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.annotations.rules import Rules
from reconciler.diagnostics import InputError
from reconciler.manifest.workspace import Workspace
from reconciler.rows.membership import names_of
from reconciler.rows.problems import Problems
from reconciler.state.address import Address, model_address
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import (
    Dataset,
    Membership,
    MetricSource,
    Model,
    Project,
    RowIdentity,
)
from reconciler.state.snapshot import Desired
from reconciler.state.uploads import Family, Uploads

Schemas: TypeAlias = Mapping[Address, tuple[JsonObject, str | None]]
"""Ontologies by address: the normalised schema, and the media type."""


def prepare_uploads(
    desired: Desired, schemas: Schemas, per_job: int
) -> dict[Address, tuple[Uploads, ...]]:
    """Make ready what projects and runs are to be sent, where the ontology is known.

    Args:
        desired: What the manifests say.
        schemas: The ontologies that are known; what is by another one is left out.
        per_job: How many lines one import brings, about.

    Returns:
        For every project with labels, and every run with predictions or metrics,
        what each family comes to.

    Raises:
        InputError: With what is wrong in any of the files.
    """
    sent = [
        one for one in (*_projects(desired), *_runs(desired)) if one.ontology in schemas
    ]
    if not sent:
        return {}
    from reconciler.annotations.features import Features  # msgspec is slow
    from reconciler.annotations.uploads import prepare

    problems = Problems()
    prepared: dict[Address, tuple[Uploads, ...]] = {}
    for one in sent:
        schema, media_type = schemas[one.ontology]
        try:
            prepared[one.address] = prepare(
                owner=(one.address.kind.value, *one.address.path),
                sources=one.sources,
                features=Features.of(schema),
                media_type=media_type,
                rules=Rules(),
                by=one.by,
                members=one.members(),
                per_job=per_job,
            )
        except InputError as error:
            for found in error.diagnostics:
                problems.add(found)
    problems.raise_if_any()
    return prepared


class Prepared:
    """What was made ready, kept for the next plan of the same manifests."""

    def __init__(self) -> None:
        self._schemas: Schemas | None = None
        self._uploads: dict[Address, tuple[Uploads, ...]] = {}

    def uploads(
        self, desired: Desired, schemas: Schemas, per_job: int
    ) -> dict[Address, tuple[Uploads, ...]]:
        """Make ready what `prepare_uploads` does, unless nothing changed.

        Args:
            desired: What the manifests say, the same at every call.
            schemas: The ontologies that are known.
            per_job: How many lines one import brings, about.
        """
        if self._schemas != schemas:
            self._uploads = prepare_uploads(desired, schemas, per_job)
            self._schemas = schemas
        return self._uploads


def check_uploads(desired: Desired, workspace: Workspace) -> None:
    """Check what is to be sent by those ontologies that manifests declare whole.

    Raises:
        InputError: With what is wrong in any of the files.
    """
    per_job = workspace.limits.predictions_per_job
    prepare_uploads(desired, declared_schemas(desired), per_job)


def declared_schemas(desired: Desired) -> Schemas:
    """List the ontologies that manifests declare whole."""
    return {
        one.address: (one.schema, one.media_type)
        for one in desired.ontologies()
        if one.schema is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What one object is to be sent, and what it is to be checked against."""

    address: Address
    ontology: Address
    sources: Mapping[Family, Sequence[MetricSource]]
    by: RowIdentity | None
    members: Callable[[], Container[str] | None]


def _projects(desired: Desired) -> Iterator[_Sent]:
    for project in desired.projects():
        if project.labels is not None and project.ontology is not None:
            yield _Sent(
                address=project.address,
                ontology=project.ontology,
                sources={Family.LABELS: project.labels},
                by=RowIdentity.GLOBAL_KEY,
                members=_of_dataset(desired, project),
            )


def _of_dataset(
    desired: Desired, project: Project
) -> Callable[[], Container[str] | None]:
    dataset = desired.resources.get(project.dataset) if project.dataset else None
    keys = dataset.data_rows if isinstance(dataset, Dataset) else None
    return lambda: None if keys is None else keys.keys()


def _runs(desired: Desired) -> Iterator[_Sent]:
    names = _Names()
    for run in desired.runs():
        given = {Family.PREDICTIONS: run.predictions, Family.METRICS: run.metrics}
        sources = {family: one for family, one in given.items() if one is not None}
        model = desired.resources.get(model_address(run.model))
        if sources and isinstance(model, Model):
            yield _Sent(
                address=run.address,
                ontology=model.ontology,
                sources=sources,
                by=run.rows.by if run.rows else None,
                members=names.of(run.rows),
            )


class _Names:
    """The names of the rows of the run that is looked at: runs often share them."""

    def __init__(self) -> None:
        self._last: tuple[Membership, frozenset[str]] | None = None

    def of(self, rows: Membership | None) -> Callable[[], frozenset[str] | None]:
        return lambda: None if rows is None else self._list(rows)

    def _list(self, rows: Membership) -> frozenset[str]:
        if self._last is None or self._last[0] is not rows:
            self._last = rows, names_of(rows)
        return self._last[1]

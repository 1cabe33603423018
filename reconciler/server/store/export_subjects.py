"""Runs and projects as exports name them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from reconciler.annotations.features import Features
from reconciler.server.errors import not_found
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.ids import part_ids, run_row_ids
from reconciler.server.store.tables import model_runs, models, ontologies, projects


@dataclass(frozen=True, slots=True)
class Run:
    """A run, with its model.

    Attributes:
        pk: Its number.
        id: Its id.
        name: Its name.
        model_id: The model's id.
        model_name: The model's name.
        ontology_pk: Number of the model's ontology.
        media_type: What the ontology is for; None where that isn't said.
        row_id: Names the run's rows, given the ids of data rows.
        entry_id: Names what the run predicts for a row, given the same.
    """

    pk: int
    id: str
    name: str
    model_id: str
    model_name: str
    ontology_pk: int
    media_type: str | None
    row_id: Callable[[str], str]
    entry_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Attributes:
        pk: Its number.
        id: Its id.
        name: Its name.
        ontology_id: Id of its ontology, if it has one.
        media_type: What its data is; None where that isn't said.
    """

    pk: int
    id: str
    name: str
    ontology_id: str | None
    media_type: str | None


def find_runs(db: Connection, identifiers: Sequence[str]) -> list[Run]:
    """Look up runs, in the order of their creation.

    Raises:
        ApiError: When there is one missing.
    """
    names = listed("names")
    query = _runs().where(model_runs.c.id.in_(select(names.c.value)))
    found = db.execute(query, {"names": as_list(identifiers)[0]})
    runs = [_run(row) for row in found]
    _complain("ModelRun", identifiers, {one.id for one in runs})
    return runs


def all_runs(db: Connection) -> list[Run]:
    """List the runs of all models, in the order of their creation."""
    return [_run(row) for row in db.execute(_runs())]


def find_projects(db: Connection, identifiers: Sequence[str]) -> list[Project]:
    """Look up projects, in the order of their creation.

    Raises:
        ApiError: When there is one missing, or deleted.
    """
    names = listed("names")
    query = _projects().where(projects.c.id.in_(select(names.c.value)))
    found = db.execute(query, {"names": as_list(identifiers)[0]})
    known = [_project(row) for row in found]
    _complain("Project", identifiers, {one.id for one in known})
    return known


def all_projects(db: Connection) -> list[Project]:
    """List the projects that aren't deleted, in the order of their creation."""
    return [_project(row) for row in db.execute(_projects())]


def read_features(db: Connection, ontology_pk: int) -> Features:
    """Read what an ontology is made of."""
    query = select(ontologies.c.normalized).where(ontologies.c.pk == ontology_pk)
    return Features.of(msgspec.json.decode(db.execute(query).scalar_one()))


def _runs() -> Select[Any]:
    return (
        select(
            model_runs.c.pk,
            model_runs.c.id,
            model_runs.c.name,
            models.c.id,
            models.c.name,
            ontologies.c.pk,
            ontologies.c.media_type,
        )
        .join(models, model_runs.c.model_pk == models.c.pk)
        .join(ontologies, models.c.ontology_pk == ontologies.c.pk)
        .order_by(model_runs.c.pk)
    )


def _projects() -> Select[Any]:
    return (
        select(
            projects.c.pk,
            projects.c.id,
            projects.c.name,
            projects.c.media_type,
            ontologies.c.id,
            ontologies.c.media_type,
        )
        .outerjoin(ontologies, projects.c.ontology_pk == ontologies.c.pk)
        .where(projects.c.deleted.is_(False))
        .order_by(projects.c.pk)
    )


def _run(row: Any) -> Run:
    pk, identifier, name, model_id, model_name, ontology_pk, media_type = row
    return Run(
        pk,
        identifier,
        name,
        model_id,
        model_name,
        ontology_pk,
        _said(media_type),
        run_row_ids(identifier),
        part_ids(identifier),
    )


def _project(row: Any) -> Project:
    pk, identifier, name, media_type, ontology_id, second_type = row
    media_type = _said(media_type) or _said(second_type)
    return Project(pk, identifier, name, ontology_id, media_type)


def _said(media_type: str | None) -> str | None:
    return None if media_type in {"UNKNOWN", "UNSUPPORTED"} else media_type


def _complain(kind: str, identifiers: Sequence[str], known: set[str]) -> None:
    for one in identifiers:
        if one not in known:
            raise not_found(kind, one)

"""Where annotations are imported to: a run or a project, and the rows it has."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, and_, select

from reconciler.server.errors import bad_input, not_found
from reconciler.server.store.bulk import as_list, as_numbers, given, listed
from reconciler.server.store.tables import (
    data_rows,
    model_runs,
    models,
    ontologies,
    project_rows,
    projects,
    run_rows,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A run or a project, as imports see it; equal when nothing of it has changed.

    Attributes:
        pk: Its number.
        id: Its id.
        name: What it is called.
        rows: The table of its data rows; their owner is its first column.
        ontology: `{"tools": [...], "classifications": [...]}`.
        media_type: What its data is; None where that isn't said.
    """

    pk: int
    id: str
    name: str
    rows: Table
    ontology: Mapping[str, Any]
    media_type: str | None


class NamedRow(NamedTuple):
    """A data row that a line names.

    Attributes:
        pk: Its number.
        id: Its id.
        global_key: The user's key.
        member: Whether it is in the run or project.
    """

    pk: int
    id: str
    global_key: str | None
    member: bool


def run_target(db: Connection, run_id: str) -> Target:
    """Look up a run.

    Raises:
        ApiError: When there is none.
    """
    found = db.execute(
        select(
            model_runs.c.pk,
            model_runs.c.name,
            ontologies.c.normalized,
            ontologies.c.media_type,
        )
        .join(models, model_runs.c.model_pk == models.c.pk)
        .join(ontologies, models.c.ontology_pk == ontologies.c.pk)
        .where(model_runs.c.id == run_id)
    ).first()
    if found is None:
        raise not_found("ModelRun", run_id)
    number, name, ontology, media_type = found
    return Target(
        pk=number,
        id=run_id,
        name=name,
        rows=run_rows,
        ontology=msgspec.json.decode(ontology),
        media_type=media_type,
    )


def project_target(db: Connection, project_id: str) -> Target:
    """Look up a project.

    Raises:
        ApiError: When there is none, or it has no ontology.
    """
    found = db.execute(
        select(
            projects.c.pk,
            projects.c.name,
            ontologies.c.normalized,
            projects.c.media_type,
            ontologies.c.media_type,
        )
        .outerjoin(ontologies, projects.c.ontology_pk == ontologies.c.pk)
        .where(projects.c.id == project_id, projects.c.deleted.is_(False))
    ).first()
    if found is None:
        raise not_found("Project", project_id)
    number, name, ontology, *media_types = found
    if ontology is None:
        raise bad_input(
            f"the project {name!r} has no ontology; connect one before you import"
        )
    media_type = next((one for one in media_types if one), None)
    return Target(
        pk=number,
        id=project_id,
        name=name,
        rows=project_rows,
        ontology=msgspec.json.decode(ontology),
        media_type=media_type,
    )


def rows_by_id(
    db: Connection, target: Target, ids: Iterable[str]
) -> dict[str, NamedRow]:
    """Find data rows by id; those that aren't there are left out."""
    return _named(db, target, "id", ids)


def rows_by_key(
    db: Connection, target: Target, keys: Iterable[str]
) -> dict[str, NamedRow]:
    """Find data rows by global key; those that aren't there are left out."""
    return _named(db, target, "global_key", keys)


def _named(
    db: Connection, target: Target, column: str, values: Iterable[str]
) -> dict[str, NamedRow]:
    text, count = as_list(values)
    if not count:
        return {}
    names = listed("names")
    members = target.rows
    owner = next(iter(members.columns))
    query = (
        select(
            names.c.value,
            data_rows.c.pk,
            data_rows.c.id,
            data_rows.c.global_key,
            members.c.row_pk.is_not(None),
        )
        .select_from(names)
        .join(data_rows, data_rows.c[column] == names.c.value)
        .outerjoin(
            members, and_(owner == target.pk, members.c.row_pk == data_rows.c.pk)
        )
    )
    found = db.execute(query, {"names": text}).all()
    return {
        name: NamedRow(pk, identifier, key, member)
        for name, pk, identifier, key, member in found
    }


def uuids_of(
    db: Connection, kept: Table, owner_pk: int, row_pks: Collection[int]
) -> Mapping[Hashable, Collection[str]]:
    """Find the uuids of annotations that data rows have in a run or project.

    Args:
        db: The transaction.
        kept: Where the annotations are: `predictions` or `prelabels`.
        owner_pk: The number of the run or project.
        row_pks: Numbers of data rows.
    """
    owner = next(iter(kept.columns))
    rows = given(as_numbers(row_pks))
    query = select(kept.c.row_pk, kept.c.uuid).where(
        owner == owner_pk, kept.c.row_pk.in_(rows)
    )
    found: dict[Hashable, set[str]] = {}
    for row_pk, uuid in db.execute(query):
        found.setdefault(row_pk, set()).add(uuid)
    return found

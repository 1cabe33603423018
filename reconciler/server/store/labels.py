"""The labels of a project: one for each data row, and one more as benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec import json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    select,
    update,
)

from reconciler.server.errors import ApiError, Code, not_found
from reconciler.server.lines import (
    Line,
    Merge,
    body_of,
    count_kept,
    joined,
    line_of,
    lines_of,
    text_of,
    uuid_of,
)
from reconciler.server.store.bulk import (
    as_list,
    as_numbers,
    change_all,
    listed,
    put_all,
)
from reconciler.server.store.contents import add_contents, forget_unused
from reconciler.server.store.database import Store
from reconciler.server.store.prelabels import put_prelabels
from reconciler.server.store.queues import initial_queue
from reconciler.server.store.tables import (
    label_contents,
    labels,
    project_rows,
    projects,
)


@dataclass(frozen=True, slots=True)
class NewLabel:
    """Annotations that come to a data row of a project.

    Attributes:
        row_pk: The data row.
        annotations: Lines of an import that were accepted.
        benchmark: Whether they are the label that others are compared with.
    """

    row_pk: int
    annotations: Sequence[bytes]
    benchmark: bool


class _Kept(NamedTuple):
    pk: int
    content_pk: int
    ontology_pk: int | None
    annotations: str


def put_labels(
    db: Connection,
    store: Store,
    project_pk: int,
    new: Sequence[NewLabel],
    merge: Merge = joined,
) -> int:
    """Write labels: a data row has one, and one more as benchmark.

    Several for one row are one label. Rows that are labelled are done, and who
    has taken their labels before doesn't see the change. A label that says what it
    said before stays as it is. Answers how many of the annotations were kept.

    Args:
        db: The transaction.
        store: The store.
        project_pk: The project; the rows must be in it.
        new: What to write.
        merge: How annotations come to those that a label has already.
    """
    coming: dict[tuple[int, bool], list[Line]] = {}
    for one in new:
        lines = coming.setdefault((one.row_pk, one.benchmark), [])
        lines.extend(map(line_of, one.annotations))
    rows = as_numbers(row_pk for row_pk, _ in coming)
    kept = _kept(db, project_pk, rows)
    merged = {
        key: merge(lines_of(kept[key].annotations) if key in kept else (), lines)
        for key, lines in coming.items()
    }
    # What an older ontology has made is the newer one's from here on.
    ontology_pk = db.execute(
        select(projects.c.ontology_pk).where(projects.c.pk == project_pk)
    ).scalar_one()
    texts = {
        key: text
        for key, lines in merged.items()
        if not _is_kept(kept.get(key), text := text_of(lines), ontology_pk)
    }
    added = add_contents(db, store, list(texts.values()), ontology_pk=ontology_pk)
    contents = dict(zip(texts, added, strict=True))
    _insert(db, store, project_pk, {k: c for k, c in contents.items() if k not in kept})
    changed = {key: kept[key] for key in contents if key in kept}
    now = store.now()
    change_all(
        db,
        labels.c.pk,
        (labels.c.content_pk, labels.c.updated_at),
        ((contents[key], now, old.pk) for key, old in changed.items()),
    )
    _queue(db, project_pk, None, rows)
    touch(db, store, project_pk)
    forget_unused(db, (old.content_pk for old in changed.values()))
    return sum(count_kept(lines, merged[key]) for key, lines in coming.items())


def delete_labels(
    db: Connection, store: Store, doomed: Select[Any], parameters: Mapping[str, Any]
) -> list[str]:
    """Delete labels, and queue their rows to be labelled again; answers their ids.

    Args:
        db: The transaction.
        store: The store.
        doomed: Selects `labels.pk`.
        parameters: What the query is bound to.
    """
    found = db.execute(
        delete(labels)
        .where(labels.c.pk.in_(doomed))
        .returning(
            labels.c.id, labels.c.project_pk, labels.c.row_pk, labels.c.content_pk
        ),
        parameters,
    ).all()
    by_project: dict[int, list[int]] = {}
    for _, project_pk, row_pk, _ in found:
        by_project.setdefault(project_pk, []).append(row_pk)
    for project_pk, rows in by_project.items():
        labelled = select(1).where(
            labels.c.project_pk == project_pk, labels.c.row_pk == project_rows.c.row_pk
        )
        queue_pk = initial_queue(db, project_pk)
        _queue(db, project_pk, queue_pk, as_numbers(rows), ~labelled.exists())
        touch(db, store, project_pk)
    forget_unused(db, (content_pk for *_, content_pk in found))
    return [identifier for identifier, *_ in found]


def by_ids(identifiers: Sequence[str]) -> tuple[Select[Any], dict[str, str]]:
    """Select labels by their ids: the query, and what it is bound to."""
    names = listed("names")
    query = select(labels.c.pk).join_from(names, labels, labels.c.id == names.c.value)
    return query, {"names": as_list(identifiers)[0]}


def keep_as_templates(
    db: Connection, doomed: Select[Any], parameters: Mapping[str, Any]
) -> None:
    """Copy the annotations of labels into the pre-labels of their rows."""
    found = db.execute(
        select(labels.c.project_pk, labels.c.row_pk, label_contents.c.annotations)
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .where(labels.c.pk.in_(doomed)),
        parameters,
    ).all()
    templates: dict[int, list[tuple[int, str, str]]] = {}
    for project_pk, row_pk, text in found:
        templates.setdefault(project_pk, []).extend(
            (row_pk, uuid_of(one), body_of(one)) for one in lines_of(text)
        )
    for project_pk, lines in templates.items():
        put_prelabels(db, project_pk, lines)


def set_benchmark(
    db: Connection, store: Store, identifier: str, *, benchmark: bool
) -> None:
    """Make a label its row's benchmark, or an ordinary one again.

    Raises:
        ApiError: When there is none, or its row has another one of that kind.
    """
    found = db.execute(
        select(labels.c.pk, labels.c.project_pk, labels.c.row_pk).where(
            labels.c.id == identifier
        )
    ).first()
    if found is None:
        raise not_found("Label", identifier)
    pk, project_pk, row_pk = found
    other = select(labels.c.id).where(
        labels.c.project_pk == project_pk,
        labels.c.row_pk == row_pk,
        labels.c.benchmark.is_(benchmark),
        labels.c.pk != pk,
    )
    if taken := db.execute(other).scalar():
        kind = "benchmark" if benchmark else "ordinary"
        raise ApiError(
            Code.RESOURCE_CONFLICT,
            f"the data row has the {kind} label '{taken}', and can't have two;"
            " delete one of the labels first",
        )
    db.execute(update(labels).where(labels.c.pk == pk).values(benchmark=benchmark))
    touch(db, store, project_pk)


def touch(db: Connection, store: Store, project_pk: int) -> None:
    """Note that something has happened in a project."""
    db.execute(
        update(projects)
        .where(projects.c.pk == project_pk)
        .values(last_activity_at=store.now())
    )


def _kept(db: Connection, project_pk: int, rows: str) -> dict[tuple[int, bool], _Kept]:
    numbers = listed("numbers")
    query = (
        select(
            labels.c.row_pk,
            labels.c.benchmark,
            labels.c.pk,
            labels.c.content_pk,
            label_contents.c.ontology_pk,
            label_contents.c.annotations,
        )
        .join_from(labels, label_contents, labels.c.content_pk == label_contents.c.pk)
        # Not a join: the list may be walked anew for each label of the project.
        .where(
            labels.c.project_pk == project_pk,
            labels.c.row_pk.in_(select(numbers.c.value)),
        )
    )
    return {
        (row_pk, benchmark): _Kept(*rest)
        for row_pk, benchmark, *rest in db.execute(query, {"numbers": rows})
    }


def _is_kept(kept: _Kept | None, text: str, ontology_pk: int | None) -> bool:
    """Tell whether a label says just this, and by this ontology."""
    if kept is None or kept.ontology_pk != ontology_pk:
        return False
    return kept.annotations == text or json.decode(kept.annotations) == json.decode(
        text
    )


def _insert(
    db: Connection,
    store: Store,
    project_pk: int,
    contents: Mapping[tuple[int, bool], int],
) -> None:
    ids, now, author = store.ids(), store.now(), store.identity.user
    put_all(
        db,
        labels,
        (
            # The store numbers them.
            (
                None,
                next(ids),
                project_pk,
                row_pk,
                content_pk,
                benchmark,
                author,
                now,
                now,
            )
            for (row_pk, benchmark), content_pk in contents.items()
        ),
    )


def _queue(
    db: Connection,
    project_pk: int,
    queue_pk: int | None,
    rows: str,
    *conditions: ColumnElement[bool],
) -> None:
    numbers = listed("numbers")
    db.execute(
        update(project_rows)
        .where(
            project_rows.c.project_pk == project_pk,
            project_rows.c.row_pk.in_(select(numbers.c.value)),
            *conditions,
        )
        .values(queue_pk=queue_pk),
        {"numbers": rows},
    )

"""Items of an import become data rows, each of them or a reason why not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, delete, insert, select, update

from reconciler.server.files import signed_file
from reconciler.server.imports import Item, Rejected, Target
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.database import Store
from reconciler.server.store.tables import (
    attachments,
    data_rows,
    datasets,
    files,
    import_failures,
    import_successes,
)


@dataclass(slots=True)
class _Import:
    """What is known while items are gone through, and what comes of them.

    Attributes:
        datasets: Numbers of datasets by id.
        by_id: Ids of existing rows.
        by_key: Ids of rows by global key, those of this import included.
        files: Numbers of our files by id.
        secret: What our URLs are signed with.
        ids: Ids for new rows.
        now: The moment of the import.
        new: Rows to insert.
        changed: Values to set, by id.
        attached: Attachments that replace a row's, by id.
        done: Ids of rows that were created or updated.
        failed: Items that weren't.
    """

    datasets: Mapping[str, int]
    by_id: set[str]
    by_key: dict[str, str]
    files: Mapping[str, int]
    secret: bytes
    ids: Iterator[str]
    now: str
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    attached: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    failed: list[Rejected] = field(default_factory=list)

    def add(self, item: Item) -> None:
        existing = self._existing(item)
        taken = item.global_key and self.by_key.get(item.global_key)
        if taken and taken != existing:
            self._fail(item, f"Duplicate global key: '{item.global_key}'")
        elif existing is not None:
            self._update(item, existing)
        elif item.target is Target.ID:
            self._fail(item, f"Data row not found: '{item.name}'")
        elif item.dataset not in self.datasets:
            self._fail(item, f"Dataset not found: '{item.dataset}'")
        elif item.row_data is None:
            self._fail(item, "A new data row needs row_data")
        else:
            self._create(item)

    def _existing(self, item: Item) -> str | None:
        match item.target:
            case Target.AUTO:
                return None
            case Target.ID:
                return item.name if item.name in self.by_id else None
            case Target.GKEY:
                return self.by_key.get(item.name)

    def _fail(self, item: Item, message: str) -> None:
        self.failed.append(Rejected(message, item.spec))

    def _create(self, item: Item) -> None:
        identifier = next(self.ids)
        self.new.append(
            {
                "id": identifier,
                "dataset_pk": self.datasets[item.dataset or ""],
                "global_key": item.global_key,
                "external_id": item.external_id,
                **self._content(item.row_data or ""),
                "media_attributes": _json(item.media_attributes),
                "metadata_fields": _json(item.metadata or []),
                "created_at": self.now,
                "updated_at": self.now,
            }
        )
        self.by_id.add(identifier)
        self._finish(item, identifier)

    def _update(self, item: Item, identifier: str) -> None:
        values: dict[str, Any] = {"updated_at": self.now}
        if item.global_key is not None:
            values["global_key"] = item.global_key
        if item.external_id is not None:
            values["external_id"] = item.external_id
        if item.row_data is not None:
            values |= self._content(item.row_data)
            values["media_attributes"] = _json(item.media_attributes)
        if item.metadata is not None:
            values["metadata_fields"] = _json(item.metadata)
        self.changed.append((identifier, values))
        self._finish(item, identifier)

    def _finish(self, item: Item, identifier: str) -> None:
        if item.global_key is not None:
            self.by_key[item.global_key] = identifier
        if item.attachments is not None:
            self.attached[identifier] = item.attachments
        self.done.append(identifier)

    def _content(self, text: str) -> dict[str, Any]:
        file_pk = self.file(text)
        return {"row_data": text if file_pk is None else "", "file_pk": file_pk}

    def file(self, text: str) -> int | None:
        """Find the number of our file that a URL means."""
        signed = signed_file(text, self.secret) if "/files/" in text else None
        return None if signed is None else self.files.get(signed[0])


def import_items(
    db: Connection, store: Store, items: Sequence[Item | Rejected]
) -> tuple[list[str], list[Rejected]]:
    """Create and update data rows; answers the ids of those, and the failures.

    Of two items with one global key the first wins.
    """
    good = [item for item in items if isinstance(item, Item)]
    work = _Import(
        datasets=_datasets(db),
        by_id=set(_find(db, data_rows.c.id, (i.name for i in good))),
        by_key=_find(
            db,
            data_rows.c.global_key,
            (key for i in good for key in (i.name, i.global_key) if key),
        ),
        files=_files(db, store, good),
        secret=store.identity.secret,
        ids=store.ids(),
        now=store.now(),
    )
    for item in items:
        if isinstance(item, Rejected):
            work.failed.append(item)
        else:
            work.add(item)
    if work.new:
        db.execute(insert(data_rows), work.new)
    for identifier, values in work.changed:
        db.execute(
            update(data_rows).where(data_rows.c.id == identifier).values(**values)
        )
    _attach(db, store, work)
    return work.done, work.failed


def record_outcome(
    db: Connection, task_pk: int, done: Sequence[str], failed: Sequence[Rejected]
) -> None:
    """Keep what an import's task answers when it is asked."""
    names = listed("names")
    rows = select(data_rows.c.pk).join(names, data_rows.c.id == names.c.value)
    pks = db.execute(rows, {"names": as_list(done)[0]}).scalars().all()
    if pks:
        db.execute(
            insert(import_successes),
            [{"task_pk": task_pk, "row_pk": pk} for pk in pks],
        )
    if failed:
        db.execute(
            insert(import_failures),
            [
                {"task_pk": task_pk, "message": one.message, "spec": _json(one.spec)}
                for one in failed
            ],
        )


def _attach(db: Connection, store: Store, work: _Import) -> None:
    if not work.attached:
        return
    numbers = _numbers(db, work.attached)
    db.execute(
        delete(attachments).where(attachments.c.row_pk.in_(_listed_pks())),
        {"names": msgspec.json.encode(sorted(numbers.values())).decode()},
    )
    ids = store.ids()
    rows = [
        {
            "id": next(ids),
            "row_pk": numbers[identifier],
            "type": one["type"],
            "name": one["name"],
            "value": "" if (file_pk := work.file(one["value"])) else one["value"],
            "file_pk": file_pk,
        }
        for identifier, given in work.attached.items()
        for one in given
    ]
    if rows:
        db.execute(insert(attachments), rows)


def _listed_pks() -> Any:
    names = listed("names")
    return select(names.c.value)


def _numbers(db: Connection, identifiers: Iterable[str]) -> dict[str, int]:
    names = listed("names")
    query = select(data_rows.c.id, data_rows.c.pk).join(
        names, data_rows.c.id == names.c.value
    )
    return dict(db.execute(query, {"names": as_list(identifiers)[0]}).all())


def _find(db: Connection, column: Column[Any], values: Iterable[str]) -> dict[str, str]:
    names = listed("names")
    query = select(column, data_rows.c.id).join(names, column == names.c.value)
    return dict(db.execute(query, {"names": as_list(values)[0]}).all())


def _datasets(db: Connection) -> dict[str, int]:
    query = select(datasets.c.id, datasets.c.pk).where(datasets.c.deleted.is_(False))
    return dict(db.execute(query).all())


def _files(db: Connection, store: Store, items: Sequence[Item]) -> dict[str, int]:
    urls = (
        url
        for item in items
        for url in (
            item.row_data,
            *(one["value"] for one in item.attachments or ()),
        )
        if url and "/files/" in url
    )
    signed = (signed_file(url, store.identity.secret) for url in urls)
    names = listed("names")
    query = select(files.c.id, files.c.pk).join(names, files.c.id == names.c.value)
    text = as_list(found[0] for found in signed if found)[0]
    return dict(db.execute(query, {"names": text}).all())


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

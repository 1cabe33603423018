"""Items of an import become data rows, each of them or a reason why not.

Rows are decided on one by one in memory, and written in a few statements.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, delete, insert, literal, select

from reconciler.server.files import signed_file
from reconciler.server.importing.data_rows import Item, Rejected, Target
from reconciler.server.store.bulk import (
    as_list,
    change_all,
    insert_all,
    insert_new,
    listed,
    look_up,
    put_all,
)
from reconciler.server.store.database import Store
from reconciler.server.store.files import keep_named
from reconciler.server.store.json_columns import as_text
from reconciler.server.store.tables import (
    attachments,
    data_rows,
    datasets,
    files,
    import_failures,
    import_successes,
    row_embeddings,
)


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The numbers of our files that URLs mean.

    Attributes:
        secret: What our URLs are signed with.
        numbers: Files by their id.
    """

    secret: bytes
    numbers: Mapping[str, int]

    def place(self, text: str) -> tuple[str, int | None]:
        """Say what is kept of a text: itself, or the number of a file of ours."""
        signed = signed_file(text, self.secret) if "/files/" in text else None
        number = None if signed is None else self.numbers.get(signed[0])
        return (text, None) if number is None else ("", number)


def own_files(db: Connection, store: Store, texts: Iterable[str | None]) -> OwnFiles:
    """Look up the files of ours among texts that may be URLs."""
    secret = store.identity.secret
    urls = {text for text in texts if text and "/files/" in text}
    signed = (signed_file(url, secret) for url in urls)
    names = listed("names")
    query = select(files.c.id, files.c.pk).join(names, files.c.id == names.c.value)
    text = as_list(found[0] for found in signed if found)[0]
    return OwnFiles(secret, dict(db.execute(query, {"names": text}).all()))


@dataclass(slots=True)
class _Import:
    """What is known while items are gone through, and what comes of them.

    Attributes:
        datasets: Numbers of datasets by id.
        known: Ids of existing rows.
        by_key: Ids of rows by global key, those of this import included.
        files: Our files that the items mean.
        ids: Ids for new rows.
        now: The moment of the import.
        new: Rows to insert, in the order of `_NEW`.
        changed: Values to set and the row's id, by which columns they are for.
        attached: Attachments that replace a row's, by id.
        embedded: Embeddings to set, by id.
        done: Ids of rows that were created or updated.
        failed: Items that weren't.
    """

    datasets: Mapping[str, int]
    known: set[str]
    by_key: dict[str, str]
    files: OwnFiles
    ids: Iterator[str]
    now: str
    new: list[tuple[Any, ...]] = field(default_factory=list)
    changed: dict[tuple[Column[Any], ...], list[tuple[Any, ...]]] = field(
        default_factory=dict
    )
    attached: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    embedded: dict[str, Mapping[str, str]] = field(default_factory=dict)
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
        elif (dataset := self.datasets.get(item.dataset or "")) is None:
            self._fail(item, f"Dataset not found: '{item.dataset}'")
        elif item.row_data is None:
            self._fail(item, "A new data row needs row_data")
        else:
            self._create(item, dataset, item.row_data)

    def _existing(self, item: Item) -> str | None:
        match item.target:
            case Target.AUTO:
                return None
            case Target.ID:
                return item.name if item.name in self.known else None
            case Target.GKEY:
                return self.by_key.get(item.name)

    def _fail(self, item: Item, message: str) -> None:
        self.failed.append(Rejected(message, item.payload))

    def _create(self, item: Item, dataset: int, row_data: str) -> None:
        identifier = next(self.ids)
        self.new.append(
            (
                identifier,
                dataset,
                item.global_key,
                item.external_id,
                *self.files.place(row_data),
                as_text(item.media_attributes),
                as_text(item.metadata) if item.metadata else "[]",
                self.now,
                self.now,
            )
        )
        self.known.add(identifier)
        self._finish(item, identifier)

    def _update(self, item: Item, identifier: str) -> None:
        values: dict[Column[Any], Any] = {data_rows.c.updated_at: self.now}
        if item.global_key is not None:
            values[data_rows.c.global_key] = item.global_key
        if item.external_id is not None:
            values[data_rows.c.external_id] = item.external_id
        if item.row_data is not None:
            text, file_pk = self.files.place(item.row_data)
            values[data_rows.c.row_data] = text
            values[data_rows.c.file_pk] = file_pk
            values[data_rows.c.media_attributes] = as_text(item.media_attributes)
        if item.metadata is not None:
            values[data_rows.c.metadata_fields] = as_text(item.metadata)
        rows = self.changed.setdefault(tuple(values), [])
        rows.append((*values.values(), identifier))
        self._finish(item, identifier)

    def _finish(self, item: Item, identifier: str) -> None:
        if item.global_key is not None:
            self.by_key[item.global_key] = identifier
        if item.attachments is not None:
            self.attached[identifier] = item.attachments
        if item.embeddings:
            self.embedded[identifier] = item.embeddings
        self.done.append(identifier)


_NEW = (
    data_rows.c.id,
    data_rows.c.dataset_pk,
    data_rows.c.global_key,
    data_rows.c.external_id,
    data_rows.c.row_data,
    data_rows.c.file_pk,
    data_rows.c.media_attributes,
    data_rows.c.metadata_fields,
    data_rows.c.created_at,
    data_rows.c.updated_at,
)


def import_items(
    db: Connection, store: Store, items: Sequence[Item | Rejected]
) -> tuple[list[str], list[Rejected]]:
    """Create and update data rows; answers the ids of those, and the failures.

    Of two items with one global key the first wins.
    """
    good = [item for item in items if isinstance(item, Item)]
    keys = (key for item in good for key in (item.name, item.global_key) if key)
    ids = data_rows.c.id
    work = _Import(
        datasets=_datasets(db),
        known=set(look_up(db, ids, ids, (item.name for item in good))),
        by_key=look_up(db, data_rows.c.global_key, ids, keys),
        files=own_files(db, store, _texts(good)),
        ids=store.ids(),
        now=store.now(),
    )
    for item in items:
        if isinstance(item, Rejected):
            work.failed.append(item)
        else:
            work.add(item)
    keep_named(db, store, (item.row_data for item in good))
    insert_all(db, _NEW, work.new)
    for columns, rows in work.changed.items():
        change_all(db, data_rows.c.id, columns, rows)
    numbers = look_up(
        db, data_rows.c.id, data_rows.c.pk, {*work.attached, *work.embedded}
    )
    _attach(db, store, work, numbers)
    put_all(
        db,
        row_embeddings,
        (
            (numbers[identifier], name, vector)
            for identifier, vectors in work.embedded.items()
            for name, vector in vectors.items()
        ),
    )
    return work.done, work.failed


def record_outcome(
    db: Connection, task_pk: int, done: Sequence[str], failed: Sequence[Rejected]
) -> None:
    """Keep what an import's task answers when it is asked."""
    names = listed("names")
    rows = (
        select(literal(task_pk), data_rows.c.pk)
        .join_from(names, data_rows, data_rows.c.id == names.c.value)
        .where(literal(value=True))
    )
    db.execute(
        insert_new(import_successes, ["task_pk", "row_pk"], rows),
        {"names": as_list(done)[0]},
    )
    if failed:
        db.execute(
            insert(import_failures),
            [
                {
                    "task_pk": task_pk,
                    "message": one.message,
                    "spec": as_text(one.spec()),
                }
                for one in failed
            ],
        )


def _attach(
    db: Connection, store: Store, work: _Import, numbers: Mapping[str, int]
) -> None:
    if not work.attached:
        return
    names = listed("names")
    db.execute(
        delete(attachments).where(attachments.c.row_pk.in_(select(names.c.value))),
        {"names": as_text(sorted(numbers[one] for one in work.attached))},
    )
    ids = store.ids()
    insert_all(
        db,
        (
            attachments.c.id,
            attachments.c.row_pk,
            attachments.c.type,
            attachments.c.name,
            attachments.c.value,
            attachments.c.file_pk,
        ),
        (
            (
                next(ids),
                numbers[identifier],
                one["type"],
                one["name"],
                *work.files.place(one["value"]),
            )
            for identifier, given in work.attached.items()
            for one in given
        ),
    )


def _texts(items: Iterable[Item]) -> Iterator[str | None]:
    for item in items:
        yield item.row_data
        for one in item.attachments or ():
            yield one["value"]


def _datasets(db: Connection) -> dict[str, int]:
    query = select(datasets.c.id, datasets.c.pk).where(datasets.c.deleted.is_(False))
    return dict(db.execute(query).all())

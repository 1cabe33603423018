"""What the store knows of the data rows that the lines of an import name."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias

from sqlalchemy import Connection, select

from reconciler.annotations.checked import Annotation, Checked, Metric, MetricKey
from reconciler.annotations.rows import RowName
from reconciler.server.lines import lines_of, uuid_of
from reconciler.server.store import metrics, predictions, prelabels, targets
from reconciler.server.store.annotation_imports import ImportType
from reconciler.server.store.bulk import as_numbers, given
from reconciler.server.store.tables import label_contents, labels
from reconciler.server.store.targets import NamedRow, Target


@dataclass(slots=True)
class Names:
    """The data rows of an import, as its lines name them.

    Attributes:
        ids: Ids.
        keys: Global keys.
        measured: Rows with metrics.
        related: Rows with relationships.
    """

    ids: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    measured: list[RowName] = field(default_factory=list)
    related: list[RowName] = field(default_factory=list)


def names_in(checked: Iterable[Checked]) -> Names:
    """Collect the names of data rows."""
    names = Names()
    for one in checked:
        row = one.row
        if row is None:
            continue
        if row.id is not None:
            names.ids.add(row.id)
        elif row.global_key is not None:
            names.keys.add(row.global_key)
        match one:
            case Metric():
                names.measured.append(row)
            case Annotation(ends=ends) if ends is not None:
                names.related.append(row)
            case _:
                pass
    return names


@dataclass(frozen=True, slots=True)
class Facts:
    """What lines are judged by; equal when nothing of it has changed.

    Attributes:
        by_id: Data rows that were named by id.
        by_key: Data rows that were named by global key.
        uuids: Annotations of rows with relationships, by the rows' numbers.
        metrics: Metrics of rows that get some, by the rows' numbers.
    """

    by_id: Mapping[str, NamedRow]
    by_key: Mapping[str, NamedRow]
    uuids: Mapping[Hashable, Collection[str]]
    metrics: Mapping[Hashable, Collection[MetricKey]]

    def find(self, name: RowName | None) -> NamedRow | None:
        """Find the data row that a line names."""
        return None if name is None else _find(self.by_id, self.by_key, name)

    def number(self, name: RowName) -> int:
        """Tell the number of a data row that is there."""
        if name.id is not None:
            return self.by_id[name.id].pk
        return self.by_key[name.global_key or ""].pk

    def rows(self) -> Iterable[NamedRow]:
        """Go through the data rows, those twice that are named both ways."""
        return chain(self.by_id.values(), self.by_key.values())


def read_facts(db: Connection, kind: ImportType, target: Target, names: Names) -> Facts:
    """Look up what is known of the data rows that an import names."""
    by_id = targets.rows_by_id(db, target, names.ids)
    by_key = targets.rows_by_key(db, target, names.keys)

    def numbers(rows: Iterable[RowName]) -> set[int]:
        found = (_find(by_id, by_key, one) for one in rows)
        return {one.pk for one in found if one is not None}

    measured, related = numbers(names.measured), numbers(names.related)
    return Facts(
        by_id=by_id,
        by_key=by_key,
        uuids=_UUIDS[kind](db, target.pk, related) if related else {},
        metrics=(
            metrics.known_metrics(db, target.pk, measured)
            if measured and kind is ImportType.PREDICTIONS
            else {}
        ),
    )


def _find(
    by_id: Mapping[str, NamedRow], by_key: Mapping[str, NamedRow], name: RowName
) -> NamedRow | None:
    if name.id is not None:
        return by_id.get(name.id)
    return by_key.get(name.global_key or "")


def _uuids_in_labels(
    db: Connection, project_pk: int, row_pks: Collection[int]
) -> Mapping[Hashable, Collection[str]]:
    rows = given(as_numbers(row_pks))
    query = (
        select(labels.c.row_pk, label_contents.c.annotations)
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .where(labels.c.project_pk == project_pk, labels.c.row_pk.in_(rows))
    )
    found: dict[Hashable, set[str]] = {}
    for row_pk, text in db.execute(query):
        found.setdefault(row_pk, set()).update(map(uuid_of, lines_of(text)))
    return found


_Known: TypeAlias = Callable[
    [Connection, int, Collection[int]], Mapping[Hashable, Collection[str]]
]

_UUIDS: Final[Mapping[ImportType, _Known]] = {
    ImportType.PREDICTIONS: predictions.known_uuids,
    ImportType.LABELS: _uuids_in_labels,
    ImportType.PRELABELS: prelabels.known_uuids,
    ImportType.RUN_PREDICTIONS: prelabels.known_uuids,
}

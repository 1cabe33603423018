"""Global keys of data rows: given, taken back, and looked up by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from reconciler.server.importing.data_rows import key_problem
from reconciler.server.store.bulk import change_all, look_up
from reconciler.server.store.database import Store
from reconciler.server.store.tables import data_rows


@dataclass(frozen=True, slots=True)
class Assigned:
    """What became of assignments, `{"dataRowId", "globalKey"}` each.

    Attributes:
        unmodified: The row has the key, exactly as it was given.
        invalid: There is no such row, another row has the key, or no key may be
            like that. The real service also refuses to trim keys.
    """

    unmodified: list[Mapping[str, str]] = field(default_factory=list)
    invalid: list[Mapping[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What became of keys that were to be taken back."""

    cleared: list[str]
    not_found: list[str]


def ids_of_global_keys(db: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Find the ids of the keys that exist."""
    return look_up(db, data_rows.c.global_key, data_rows.c.id, keys)


def assign_keys(
    db: Connection, store: Store, asked: Sequence[Mapping[str, str]]
) -> Assigned:
    """Give data rows global keys, one after the other; a row's old key is freed."""
    keys = look_up(
        db, data_rows.c.id, data_rows.c.global_key, [one["dataRowId"] for one in asked]
    )
    before = dict(keys)
    owners = ids_of_global_keys(db, [one["globalKey"] for one in asked])
    outcome = Assigned()
    for one in asked:
        row, key = one["dataRowId"], one["globalKey"]
        if row not in keys or key_problem(key) or owners.get(key, row) != row:
            outcome.invalid.append(one)
            continue
        old = keys[row]
        if old is not None and owners.get(old) == row:
            del owners[old]
        keys[row], owners[key] = key, row
        outcome.unmodified.append(one)
    _set(db, store, {row: keys[row] for row in keys if keys[row] != before[row]})
    return outcome


def clear_keys(db: Connection, store: Store, keys: Sequence[str]) -> Cleared:
    """Take global keys back from the data rows that have them."""
    owners = ids_of_global_keys(db, keys)
    _set(db, store, dict.fromkeys(owners.values()))
    distinct = list(dict.fromkeys(keys))
    return Cleared(
        [key for key in distinct if key in owners],
        [key for key in distinct if key not in owners],
    )


def _set(db: Connection, store: Store, keys: Mapping[str, str | None]) -> None:
    now = store.now()
    columns = (data_rows.c.global_key, data_rows.c.updated_at)
    # Rows may exchange their keys, and no two may have one even for a moment.
    change_all(db, data_rows.c.id, columns, ((None, now, row) for row in keys))
    given = ((key, now, row) for row, key in keys.items() if key is not None)
    change_all(db, data_rows.c.id, columns, given)

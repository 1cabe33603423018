"""Datasets, and the data rows that files bring into them."""

from collections.abc import Iterator

from reconciler.diagnostics import counted
from reconciler.plan.changes import Blocked, Change, DataRowsChange, FieldChange, Notice
from reconciler.plan.diffing.given import (
    Differences,
    Differing,
    Given,
    created,
    existing,
)
from reconciler.plan.fields import diff_fields
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import Dataset, GlobalKey
from reconciler.state.snapshot import CurrentDataset


def diff_dataset(wanted: Dataset, given: Given, found: Differences) -> Change:
    """Compare a dataset; new content under an old key is held back."""
    address = wanted.address
    there = given.current.resources.get(address)
    if there is None:
        assert wanted.data_rows is not None, "a missing reference ends the read"
        new = tuple(wanted.data_rows[key] for key in sorted(wanted.data_rows))
        description: JsonObject = (
            {} if wanted.description is None else {"description": wanted.description}
        )
        differing = Differing(
            fields=diff_fields({}, description),
            data_rows=DataRowsChange(created=new, kept=0),
        )
        return created(wanted, given, differing)
    assert isinstance(there, CurrentDataset)
    if wanted.data_rows is None:
        return existing(wanted, given, there.id, reference=True)
    keys: frozenset[GlobalKey] = there.keys or frozenset()
    known = given.inventory.fingerprints.get(address, {})
    kept = wanted.data_rows.keys() & keys
    changed = sorted(
        key
        for key in kept & known.keys()
        if known[key] != wanted.data_rows[key].fingerprint
    )
    if changed:
        found.blocked.append(
            Blocked(
                code="data-row-content",
                address=address,
                message=f"{counted(len(changed), 'data row')} changed content under "
                f"an old key, such as {changed[0]!r}; runs and labels refer to "
                "the content they were made with",
                allow="give the new content new global keys",
            )
        )
    data_rows = DataRowsChange(
        created=tuple(
            wanted.data_rows[key] for key in sorted(wanted.data_rows.keys() - keys)
        ),
        kept=len(kept),
        left=len(keys - wanted.data_rows.keys()),
        unchecked=len(kept - known.keys()),
    )
    found.notices.extend(_notices(address, data_rows))
    fields: tuple[FieldChange, ...] = ()
    if wanted.description is not None and wanted.description != there.description:
        fields = (FieldChange(("description",), there.description, wanted.description),)
    differing = Differing(fields=fields, data_rows=data_rows)
    return existing(wanted, given, there.id, differing)


def _notices(address: Address, rows: DataRowsChange) -> Iterator[Notice]:
    if rows.left:
        yield Notice(
            code="data-rows-left",
            address=address,
            message="the dataset holds "
            f"{counted(rows.left, 'data row')} that none of its files name; data rows "
            "are never deleted",
        )
    if rows.unchecked:
        yield Notice(
            code="data-rows-unchecked",
            address=address,
            message=f"the content of {counted(rows.unchecked, 'data row')} can't be "
            "compared, having been uploaded from elsewhere",
        )

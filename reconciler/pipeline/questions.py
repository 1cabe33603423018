"""What only the remote can tell is wrong, or can't be told at all, of data rows."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, counted
from reconciler.plan.changes import Notice, RowChanges
from reconciler.plan.labels import LabelsFound
from reconciler.ports import Reader
from reconciler.state.address import Address
from reconciler.state.resources import GlobalKey, RowIdentity
from reconciler.state.snapshot import Current, Desired


def elsewhere(desired: Desired, current: Current) -> Iterator[Diagnostic]:
    """Find data rows that another dataset has already."""
    for address, keys in current.elsewhere.items():
        if keys:
            yield Diagnostic(
                code="row-in-other-dataset",
                message=f"{address}: another dataset already has "
                f"{counted(len(keys), 'global key')} of this one",
                span=desired.origins.get(address),
                hint="a global key is unique in an organisation: rename these, or "
                "declare the dataset they are in; of a bundle: export it with "
                "`--data-row-details`, so that the dataset keeps its name",
                details=tuple(sorted(keys)),
            )


def unchecked_ids(rows: RowChanges) -> Iterator[Notice]:
    """Say which rows can't be looked up before they are added."""
    for address, change in rows.items():
        if change.by is RowIdentity.DATA_ROW_ID and change.added:
            yield Notice(
                code="row-ids-unchecked",
                address=address,
                message=f"{counted(change.added_count, 'data row id')} to add can't "
                "be looked up beforehand: if one doesn't exist, adding fails",
            )


def unchecked_label_ids(labels: Mapping[Address, LabelsFound]) -> Iterator[Notice]:
    """Say which labels can't be looked up before they are given to a run."""
    for address, found in labels.items():
        change = found.change
        count = len(change.ids)
        if change.project is None:
            count += len(change.added) + len(change.replaced)
        if count:
            yield Notice(
                code="label-ids-unchecked",
                address=address,
                message=f"{counted(count, 'label id')} to add can't be looked up "
                "beforehand: if one doesn't exist, adding fails",
            )


def unknown_keys(
    desired: Desired, rows: RowChanges, reader: Reader
) -> Iterator[Diagnostic]:
    """Find rows to be added that no data row answers to, and none is declared for."""
    declared: set[str] = set()
    for dataset in desired.datasets():
        declared.update(dataset.data_rows or ())
    added = {
        address: frozenset(change.added_names()) - declared
        for address, change in rows.items()
        if change.by is RowIdentity.GLOBAL_KEY
    }
    asked = frozenset[str]().union(*added.values())
    if not asked:
        return
    unknown = reader.unknown_keys(map(GlobalKey, asked))
    missing: dict[frozenset[str], list[Address]] = {}
    for address, names in added.items():
        if lacking := names & unknown:
            missing.setdefault(lacking, []).append(address)
    for keys, addresses in missing.items():
        yield Diagnostic(
            code="unknown-global-keys",
            message=f"{', '.join(map(str, addresses))}: no data row on the remote answers to "
            f"{counted(len(keys), 'global key')}",
            span=desired.origins.get(addresses[0]),
            hint="correct them, or declare a Dataset whose files bring these data rows",
            details=tuple(sorted(keys)),
        )

"""What is there, compared with what is declared: a plan."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.pipeline.sessions import Session
from reconciler.plan.build import Plan, build
from reconciler.plan.changes import Notice, RowChanges
from reconciler.ports import Reader
from reconciler.rows.change import RowsChange
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.state.address import Address, Kind, model_address
from reconciler.state.resources import GlobalKey, RowIdentity, Run
from reconciler.state.snapshot import Current, Desired

READERS: Final = 8
"""Runs whose rows are read and compared at the same time."""

LARGE: Final = 100_000
"""Rows beyond which a run is read alone, so that memory holds one at a time."""


def make_plan(session: Session, *, allowed: Iterable[Address] = ()) -> Plan:
    """Read what is there, compare it, and say what to do; change nothing.

    Raises:
        InputError: For what only the remote can tell is wrong with the
            manifests: all of it.
        RemoteError: When anything can't be read whole.
    """
    given = session.specification
    desired = _needed(given.desired, given.selected)
    current = session.reader.read(desired)
    rows = _compare_rows(desired, current, session.reader)
    problems = [
        *_elsewhere(desired, current),
        *_unknown_keys(desired, rows, session.reader),
    ]
    if problems:
        raise InputError(problems)
    workspace = given.workspace
    return build(
        workspace=workspace.name,
        target=session.target,
        desired=desired,
        current=current,
        rows=rows,
        inventory=session.ledger.recall(),
        guards=workspace.guards,
        allowed=allowed,
        batch_size=workspace.limits.batch_size,
        selected=given.selected,
        selection=given.selection,
        notices=(*session.reader.notices(), *_unchecked_ids(rows)),
    )


def converged(
    session: Session,
    *,
    allowed: Iterable[Address] = (),
    sleep: Callable[[float], None],
    pauses: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
) -> Plan:
    """Plan again after an apply; the plan is empty if all went as it should.

    A remote may answer from before a write for a moment, so a plan that isn't
    empty is made again after each of the pauses before it is believed.
    """
    permitted = tuple(allowed)
    plan = make_plan(session, allowed=permitted)
    for pause in pauses:
        if not plan:
            break
        sleep(pause)
        plan = make_plan(session, allowed=permitted)
    return plan


def _needed(desired: Desired, selected: frozenset[Address] | None) -> Desired:
    # What isn't selected is read only where something selected leans on it.
    if selected is None:
        return desired
    needed = set(selected)
    for address in selected:
        if address.kind is Kind.RUN:
            needed.add(model_address(address.path[0]))
            needed.update(one.address for one in desired.datasets())
    for model in desired.models():
        if model.address in needed:
            needed.add(model.ontology)
    return replace(
        desired,
        resources={
            address: resource
            for address, resource in desired.resources.items()
            if address in needed
        },
    )


def _compare_rows(desired: Desired, current: Current, reader: Reader) -> RowChanges:
    def compare(run: Run) -> tuple[Address, RowsChange]:
        assert run.rows is not None
        found = current.id_of(run.address)
        there = (
            collect(())
            if found is None
            else reader.read_rows(found, expected=len(run.rows))
        )
        return run.address, diff_rows(desired=run.rows, current=there)

    small: list[Run] = []
    large: list[Run] = []
    for run in desired.runs():
        if run.rows is not None:
            (large if len(run.rows) > LARGE else small).append(run)
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        changes = dict(pool.map(compare, small))
    changes.update(map(compare, large))
    return changes


def _elsewhere(desired: Desired, current: Current) -> Iterator[Diagnostic]:
    for address, keys in current.elsewhere.items():
        if keys:
            yield Diagnostic(
                code="row-in-other-dataset",
                message=f"{address}: another dataset already has "
                f"{counted(len(keys), 'global key')} of this one",
                span=desired.origins.get(address),
                hint="a global key is unique in an organisation: rename these, or "
                "declare the dataset they are in",
                details=tuple(sorted(keys)),
            )


def _unchecked_ids(rows: RowChanges) -> Iterator[Notice]:
    for address, change in rows.items():
        if change.by is RowIdentity.DATA_ROW_ID and change.added:
            yield Notice(
                code="row-ids-unchecked",
                address=address,
                message=f"{counted(change.added_count, 'data row id')} to add can't "
                "be looked up beforehand: if one doesn't exist, adding fails",
            )


def _unknown_keys(
    desired: Desired, rows: RowChanges, reader: Reader
) -> Iterator[Diagnostic]:
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

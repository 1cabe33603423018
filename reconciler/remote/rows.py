"""The rows of runs and datasets, read whole: by pages when few, else by export.

Pages go on until there is no cursor; exports until the promised number of lines
is reached. A key that may not start exports reads pages, and it is said.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from reconciler.api import documents
from reconciler.ports import Incomplete, Unauthorized
from reconciler.remote import exports
from reconciler.remote.errors import Refused
from reconciler.remote.export_payloads import (
    ExportedRow,
    ExportedRunDetails,
    ExportedRunRow,
)
from reconciler.remote.row_payloads import (
    DatasetRowsData,
    RunRowPage,
    RunRowsData,
    split_of,
)
from reconciler.remote.session import Session
from reconciler.rows.change import CurrentRow
from reconciler.rows.current import CurrentRows, RepeatedRowsError, collect
from reconciler.state.address import RemoteId
from reconciler.state.resources import GlobalKey

_DATASET_PAGE: Final = 500


def read_rows(session: Session, run: RemoteId, *, expected: int) -> CurrentRows:
    """Read the rows of a run; see `ports.Reader.read_rows`."""
    bounds = session.bounds
    if expected <= bounds.export_above:
        few = _up_to(2 * bounds.export_above, run_pages(session, run))
        if few is not None:
            return _collect(few, run)
    if not (session.learnt.no_exports or session.learnt.no_export_splits):
        try:
            return _collect(_exported(session, run), run)
        except (Unauthorized, Refused) as error:
            _without_exports(session, error)
        except _NoSplitsError:
            session.learnt.no_export_splits = True
            session.learnt.tell(
                "export-without-splits",
                "exports of this remote don't tell the splits of rows; runs are "
                "read by pages, which takes longer",
            )
    return _collect(run_pages(session, run), run)


def dataset_keys(
    session: Session, dataset: RemoteId, *, row_count: int | None
) -> frozenset[GlobalKey]:
    """Read the global keys of a dataset; rows without one are left out.

    Args:
        session: The connection.
        dataset: Its id.
        row_count: How many rows it has, as far as the remote says.

    Raises:
        Incomplete: When the read can't be shown to be whole.
    """
    many = (row_count or 0) > session.bounds.export_dataset_above
    if many and not session.learnt.no_exports:
        try:
            task = exports.start_dataset_export(session, dataset)
        except (Unauthorized, Refused) as error:
            _without_exports(session, error)
        else:
            exports.wait_for_task(session, task, documents.EXPORT_CATALOG)
            return _keys(
                (row.data_row.id, row.data_row.global_key)
                for batch in exports.lines(session, task, ExportedRow)
                for row in batch
            )
    return _keys(_dataset_rows(session, dataset))


def run_pages(session: Session, run: RemoteId) -> Iterator[list[CurrentRow]]:
    """Read the rows of a run page by page, to the end."""
    cursor: str | None = None
    while True:
        found = _run_page(session, run, cursor)
        if not found.nodes:
            return
        yield [node.current() for node in found.nodes]
        coming = found.page_info.end_cursor
        if not coming:
            return
        if coming == cursor:
            raise Incomplete(
                "the same page comes again and again", operation=documents.RUN_ROWS.root
            )
        cursor = coming


def has_rows(session: Session, run: RemoteId) -> bool:
    """Whether a run has any rows at all."""
    return bool(_run_page_of(session, run, None, 1).nodes)


class _NoSplitsError(Exception):
    """An exported line doesn't say in which split its row is."""


def _run_page(session: Session, run: RemoteId, cursor: str | None) -> RunRowPage:
    learnt, bounds = session.learnt, session.bounds
    size = learnt.page or bounds.page
    tried = [size, *(smaller for smaller in bounds.smaller_pages if smaller < size)]
    for size in tried[:-1]:
        try:
            found = _run_page_of(session, run, cursor, size)
        except Refused:
            continue
        learnt.page = size
        return found
    found = _run_page_of(session, run, cursor, tried[-1])
    learnt.page = tried[-1]
    return found


def _run_page_of(
    session: Session, run: RemoteId, cursor: str | None, size: int
) -> RunRowPage:
    return session.client.execute(
        documents.RUN_ROWS, RunRowsData, modelRunId=run, from_=cursor, first=size
    ).annotation_groups


def _up_to(
    limit: int, pages: Iterator[list[CurrentRow]]
) -> list[list[CurrentRow]] | None:
    """Keep pages as long as they are few; None when they are not."""
    kept: list[list[CurrentRow]] = []
    count = 0
    for rows in pages:
        kept.append(rows)
        count += len(rows)
        if count > limit:
            return None
    return kept


def _exported(session: Session, run: RemoteId) -> Iterator[list[CurrentRow]]:
    task = exports.start_run_export(session, run)
    exports.wait_for_task(session, task, documents.EXPORT_RUN)
    for batch in exports.lines(session, task, ExportedRunRow[ExportedRunDetails]):
        yield [_exported_row(row, run) for row in batch]


def _exported_row(row: ExportedRunRow[ExportedRunDetails], run: RemoteId) -> CurrentRow:
    details = row.details(run)
    split = msgspec.UNSET if details is None else details.split_text()
    if split is msgspec.UNSET:
        raise _NoSplitsError
    return CurrentRow(row.data_row.id, row.data_row.global_key, split_of(split))


def _collect(batches: Iterable[list[CurrentRow]], run: RemoteId) -> CurrentRows:
    try:
        return collect(batches)
    except RepeatedRowsError as error:
        raise Incomplete(
            f"the rows of run {run} shifted while they were read: {error}",
            hint="somebody else is changing the run; try again later",
        ) from error


def _dataset_rows(
    session: Session, dataset: RemoteId
) -> Iterator[tuple[str, str | None]]:
    cursor: str | None = None
    while True:
        found = session.client.execute(
            documents.DATASET_ROWS,
            DatasetRowsData,
            id=dataset,
            from_=cursor,
            first=_DATASET_PAGE,
        ).dataset_data_rows
        yield from ((node.id, node.global_key) for node in found.nodes)
        cursor = found.page_info.start_cursor
        if not cursor or not found.nodes:
            return


def _keys(rows: Iterable[tuple[str, str | None]]) -> frozenset[GlobalKey]:
    seen: set[str] = set()
    keys: set[GlobalKey] = set()
    for row_id, key in rows:
        if row_id in seen:
            raise Incomplete(
                f"the data rows of a dataset shifted while they were read: {row_id} "
                "came twice",
                hint="somebody else is changing the dataset; try again later",
            )
        seen.add(row_id)
        if key is not None:
            keys.add(GlobalKey(key))
    return frozenset(keys)


def _without_exports(session: Session, error: Unauthorized | Refused) -> None:
    if not exports.refused(error):
        raise error
    session.learnt.no_exports = True
    session.learnt.tell(
        "exports-refused",
        "this key may not start exports, so rows are read by pages, which takes "
        f"longer: {error.reason}",
    )

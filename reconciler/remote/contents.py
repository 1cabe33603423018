"""A run as it is exported: everything in it, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from reconciler.api import documents
from reconciler.ports import Incomplete, Malformed
from reconciler.remote import exports
from reconciler.remote.export_payloads import ExportedRunContents, ExportedWholeRow
from reconciler.remote.row_payloads import split_of
from reconciler.remote.rows import run_pages
from reconciler.remote.session import Session
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.contents import ExportParams, RunRow
from reconciler.state.resources import Split

_METRIC: Final = {
    "metric_name": "metricName",
    "metric_value": "metricValue",
    "aggregation": "aggregation",
    "feature_name": "featureName",
    "subclass_name": "subclassName",
}
"""The fields of an exported metric, and what imports call them."""


def run_contents(
    session: Session, run: RemoteId, wanted: ExportParams
) -> Iterator[Sequence[RunRow]]:
    """Export a run with everything in it; see `ports.Reader.run_contents`."""
    task = exports.start_run_export(session, run, wanted)
    exports.wait_for_task(session, task, documents.EXPORT_RUN)
    reading = _Reading(session, run)
    for batch in exports.raw_lines(session, task):
        yield [reading.row(line) for line in batch]


class _Reading:
    """Lines of the export of one run, on their way to rows."""

    def __init__(self, session: Session, run: RemoteId) -> None:
        self._session = session
        self._run = run
        self._decoder = msgspec.json.Decoder(ExportedWholeRow)
        self._seen: set[str] = set()
        self._paged: Mapping[str, Split] | None = None

    def row(self, line: bytes) -> RunRow:
        (found,) = exports.decoded(self._decoder, line)
        details = found.details(self._run)
        row_id, key = found.data_row.get("id"), found.data_row.get("global_key")
        if details is None or not isinstance(row_id, str):
            raise Malformed(
                f"a line of the export of run {self._run} doesn't say what it is about",
                operation=documents.EXPORT_RUN.root,
            )
        if row_id in self._seen:
            raise Incomplete(
                f"the rows of run {self._run} shifted while they were read: {row_id} "
                "came twice",
                hint="somebody else is changing the run; try again later",
            )
        self._seen.add(row_id)
        return RunRow(
            id=row_id,
            key=key,
            split=self._split(row_id, details),
            line=line,
            data_row=found.data_row,
            labels=tuple(details.labels),
            predictions=tuple(details.predictions),
            metrics=tuple(map(_metric, details.metrics)),
        )

    def _split(self, row_id: str, details: ExportedRunContents) -> Split:
        """Take the split that the line says, or else the one that pages say."""
        said = details.split_text()
        if said is not msgspec.UNSET:
            return split_of(said)
        if self._paged is None:
            pages = run_pages(self._session, self._run)
            self._paged = {row.id: row.split for page in pages for row in page}
        if row_id not in self._paged:
            raise Incomplete(
                f"the rows of run {self._run} shifted while they were read: {row_id} "
                "is gone",
                hint="somebody else is changing the run; try again later",
            )
        return self._paged[row_id]


def _metric(told: Mapping[str, Any]) -> JsonObject:
    return {ours: told[name] for name, ours in _METRIC.items() if name in told}

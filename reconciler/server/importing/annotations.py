"""Files of annotations become predictions, metrics, labels and pre-labels.

A line that can't be imported fails alone; a file fails as a whole only when there
is nothing to read. Lines are read and checked, and the files of what came of them
are written, before the store is locked. What they were judged by is looked at once
more under the lock; when it has changed, they are judged anew. Jobs hold ids and no
numbers, for the store may give out the number of what was deleted again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

import msgspec
from sqlalchemy import Connection

from reconciler.annotations.checked import Checked, Refused
from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rows import RowName
from reconciler.annotations.rules import Rules
from reconciler.annotations.together import refuse_together
from reconciler.server.errors import bad_input
from reconciler.server.files import Written
from reconciler.server.importing.fetching import fetch
from reconciler.server.importing.line_files import LineFile
from reconciler.server.importing.reading import Reading, read_lines, rules_of
from reconciler.server.importing.statuses import (
    all_statuses,
    failures,
    joined,
    without_line,
)
from reconciler.server.jobs import Job, nothing_before
from reconciler.server.lines import line_of
from reconciler.server.settings import ServerSettings
from reconciler.server.store import annotation_imports as import_store
from reconciler.server.store import predictions as prediction_store
from reconciler.server.store.annotation_imports import (
    ImportRecord,
    ImportState,
    ImportType,
)
from reconciler.server.store.database import Store
from reconciler.server.store.files import NDJSON, add_file, keep_files
from reconciler.server.store.import_facts import Facts, Names, names_in, read_facts
from reconciler.server.store.import_results import keep
from reconciler.server.store.tables import run_rows
from reconciler.server.store.targets import (
    Target,
    project_target,
    rows_by_id,
    run_target,
)

INPUTS: Final = "inputs.ndjson"
"""What the file of an import is called; names of imports may hold anything."""


def job_of(store: Store, settings: ServerSettings, record: ImportRecord) -> Job:
    """Make the job that does an import."""
    fetched = record.url is not None and record.input is None
    return Job(
        identifier=record.id,
        work=partial(_work, store, settings, record.id),
        fail=partial(_fail, store, record.id),
        prepare=partial(_prepare, store, settings, record.id)
        if fetched
        else nothing_before,
    )


def _fail(store: Store, identifier: str, message: str) -> None:
    with store.write() as db:
        import_store.end_import(
            db, store, identifier, ImportState.FAILED, message=message
        )


def _prepare(store: Store, settings: ServerSettings, identifier: str) -> None:
    with store.read() as db:
        record = import_store.running_import(db, identifier)
    if record is None or record.input is not None or record.url is None:
        return
    with store.files.writer() as (append, finish):
        fetch(record.url, append, limit=settings.limits.file_bytes)
        _keep_input(store, record, finish())


def _work(store: Store, settings: ServerSettings, identifier: str) -> None:
    with store.read() as db:
        record = import_store.running_import(db, identifier)
    if record is None:
        return
    if record.type is ImportType.RUN_PREDICTIONS:
        source, absent = _collect(store, record)
    else:
        source, absent = _received(settings, record), []
    with LineFile(store.files.path(source.sha256)) as lines:
        attempt: _Attempt | None = None
        while attempt is None or not attempt.succeeds():
            with store.read() as db:
                target = _target(db, record)
            if attempt is not None and attempt.target == target:
                continue
            reading = read_lines(
                lines, record.type, target, settings, store.identity.secret
            )
            attempt = _Attempt(
                store=store,
                record=record,
                target=target,
                rules=rules_of(settings),
                lines=lines,
                reading=reading,
                names=names_in(reading.checked),
                absent=absent,
            )


def _target(db: Connection, record: ImportRecord) -> Target:
    if record.type is ImportType.PREDICTIONS:
        return run_target(db, record.owner_id)
    return project_target(db, record.owner_id)


def _received(settings: ServerSettings, record: ImportRecord) -> Written:
    """Say which file an import is of, however it has come."""
    source, limit = record.input, settings.limits.file_bytes
    assert source is not None, "what wasn't uploaded was fetched"
    if source.size > limit:
        raise bad_input(f"the file is longer than {limit} bytes")
    return Written(source.sha256, source.size)


def _collect(store: Store, record: ImportRecord) -> tuple[Written, list[str]]:
    """Write the predictions that shall be pre-labels as lines of an import.

    Answers the file, and the ids of data rows that aren't in the run.
    """
    run_id, row_ids = record.detail["modelRunId"], record.detail["dataRowIds"]
    with store.read() as db:
        run = run_target(db, run_id)
        rows = rows_by_id(db, run, row_ids)
        members = {one.pk for one in rows.values() if one.member}
        absent = [
            one
            for one in dict.fromkeys(row_ids)
            if one not in rows or not rows[one].member
        ]
        found = prediction_store.read_predictions(db, run.pk, members)
        written = store.files.write(
            joined(
                msgspec.json.encode(line_of(body, uuid) | {"dataRow": {"id": row_id}})
                + b"\n"
                for row_id, uuid, body in found
            )
        )
    _keep_input(store, record, written)
    return written, absent


def _keep_input(store: Store, record: ImportRecord, written: Written) -> None:
    with store.write() as db:
        pk, _ = add_file(db, store, written, name=INPUTS, content_type=NDJSON)
        import_store.set_input(db, record.id, pk)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An import whose lines are right, each on its own.

    Attributes:
        store: Where it goes.
        record: The import.
        target: The run or project.
        rules: Limits and choices.
        lines: The file.
        reading: What each line is, and which of our files they name.
        names: The data rows that they name.
        absent: Ids of data rows that were asked for, and aren't in the run.
    """

    store: Store
    record: ImportRecord
    target: Target
    rules: Rules
    lines: LineFile
    reading: Reading
    names: Names
    absent: Sequence[str]

    def succeeds(self) -> bool:
        """Import; False when what decides about lines has changed under way."""
        with self.store.read() as db:
            facts = self._facts(db)
        judged = self._judge(facts)
        said = self._write(all_statuses(judged, self.lines.numbers, facts))
        failed = self._write(failures(judged, self.lines.numbers, facts))
        with self.store.write() as db:
            if import_store.running_import(db, self.record.id) is None:
                return True
            if _target(db, self.record) != self.target or self._facts(db) != facts:
                return False
            keep(
                db,
                self.store,
                judged,
                kind=self.record.type,
                target=self.target,
                facts=facts,
                line=self.lines.__getitem__,
            )
            keep_files(db, self.reading.files)
            import_store.end_import(
                db,
                self.store,
                self.record.id,
                ImportState.FINISHED,
                statuses_pk=self._file(db, said, "statuses.ndjson"),
                errors_pk=self._file(db, failed, "errors.ndjson"),
            )
        return True

    def _facts(self, db: Connection) -> Facts:
        return read_facts(db, self.record.type, self.target, self.names)

    def _judge(self, facts: Facts) -> Sequence[Checked]:
        return refuse_together(
            [self._at_home(one, facts) for one in self.reading.checked],
            self.rules,
            row_of=facts.number,
            known_uuids=facts.uuids,
            known_metrics=facts.metrics,
        )

    def _at_home(self, one: Checked, facts: Facts) -> Checked:
        if isinstance(one, Refused):
            return one
        row = facts.find(one.row)
        if row is not None and row.member:
            return one
        return Refused(one.uuid, one.row, (self._away(one.row, known=row is not None),))

    def _away(self, name: RowName, *, known: bool) -> Problem:
        field = "id" if name.global_key is None else "globalKey"
        shown = f"data row with the {field} {show(name.id or name.global_key)}"
        if not known:
            message = f"there is no {shown}"
            return Problem("UnknownDataRow", message, f"dataRow.{field}")
        owner = "model run" if self.target.rows is run_rows else "project"
        message = f"the {shown} is not in the {owner} {show(self.target.name)}"
        return Problem("DataRowNotIncluded", message, f"dataRow.{field}")

    def _write(self, lines: Iterator[bytes]) -> Written:
        absent = without_line(_absent(one) for one in self.absent)
        return self.store.files.write(joined(chain(lines, absent)))

    def _file(self, db: Connection, written: Written, name: str) -> int:
        pk, _ = add_file(db, self.store, written, name=name, content_type=NDJSON)
        return pk


def _absent(row_id: str) -> Refused:
    message = f"the model run has no data row with the id {show(row_id)}"
    problem = Problem("DataRowNotIncluded", message)
    return Refused(None, RowName(id=row_id), (problem,))

"""A remote in memory: the two ports, without a wire."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import IO

from reconciler.annotations.rows import Row, decode
from reconciler.apply.events import Done, Event, Failed, Finished, Skipped
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ledger.sent import Entry, collected, intents, outcome_of
from reconciler.plan.build import Plan
from reconciler.plan.changes import Notice
from reconciler.plan.steps import (
    AddLabelIds,
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    CheckRun,
    ConnectOntology,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateProject,
    CreateRun,
    DescribeDataset,
    RemoveRows,
    SendChunk,
    SetConfig,
    SetStatus,
    Step,
    UploadDataRows,
)
from reconciler.ports import (
    LinesRefused,
    NotFound,
    Organisation,
    RemoteError,
    Stale,
)
from reconciler.rows.change import CurrentRow
from reconciler.rows.current import CurrentRows, collect
from reconciler.state.address import Address, Kind, RemoteId, model_address
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.contents import ExportParams, RunRow, Survey, SurveyedRun
from reconciler.state.inventory import Inventory
from reconciler.state.labels import CurrentLabel, PinnedLabel
from reconciler.state.resources import GlobalKey, RowIdentity, RunStatus, Split
from reconciler.state.selection import SelectedRow, Selection
from reconciler.state.snapshot import (
    Current,
    CurrentDataset,
    CurrentModel,
    CurrentOntology,
    CurrentProject,
    CurrentResource,
    CurrentRun,
    Desired,
    JobState,
)
from reconciler.state.uploads import Family, LineRefusal
from tests.support.values import identity, said_by


@dataclass
class FakeRun:
    """A run in memory; rows by data row id.

    Attributes:
        id: Its id.
        config: Its config.
        rows: Splits.
        labels: The label of each row that has one.
        sent: Of each row, what was sent: lines by what they are.
        imports: Names of the imports that ended.
        status: What its training says.
    """

    id: RemoteId
    config: JsonObject = field(default_factory=dict)
    rows: dict[str, Split] = field(default_factory=dict)
    labels: dict[str, CurrentLabel] = field(default_factory=dict)
    sent: dict[str, dict[str, bytes]] = field(default_factory=dict)
    imports: dict[str, JobState] = field(default_factory=dict)
    status: RunStatus | None = None


@dataclass
class FakeProject:
    """A labelling project in memory; rows by data row id.

    Attributes:
        id: Its id.
        media_type: What it is for.
        ontology_id: Id of its ontology.
        rows: Its data rows.
        batches: Names of its batches.
        sent: Of each row, the annotations of its label by their uuids.
        imports: Imports of labels by name.
    """

    id: RemoteId
    media_type: str
    ontology_id: RemoteId | None = None
    rows: set[str] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    sent: dict[str, dict[str, bytes]] = field(default_factory=dict)
    imports: dict[str, JobState] = field(default_factory=dict)

    def labels(self) -> list[CurrentLabel]:
        """List its labels: one for each row that has annotations."""
        return [
            CurrentLabel(
                row_id=row,
                row=_key(row),
                label_id=RemoteId(f"label-{self.id}-{row}"),
                content=said_by(lines.values()),
            )
            for row, lines in self.sent.items()
        ]


class Killed(Exception):  # noqa: N818  # the process, not an error of it
    """Nobody lives to see the outcome of the step."""


class FakeRemote:
    """Objects by address; data rows by key, their id is `id-of-KEY`.

    Attributes:
        performed: Every step in the order in which it was carried out.
        fail: Addresses whose steps are refused.
        refuse: Why lines of a row are refused, by the row's key.
        files: What can be downloaded, by URL.
        dies_after: How many more steps are carried out before a kill.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._ids = (RemoteId(f"id-{n}") for n in count(1))
        self.data_rows: dict[str, set[str]] = {"": set(keys)}
        self.objects: dict[Address, CurrentResource] = {}
        self.runs: dict[Address, FakeRun] = {}
        self.projects: dict[Address, FakeProject] = {}
        self.performed: list[Step] = []
        self.fail: set[Address] = set()
        self.refuse: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.dies_after: int | None = None

    def organisation(self) -> Organisation:
        return Organisation(RemoteId("org"), "Fake")

    def read(self, desired: Desired) -> Current:
        there = {
            address: self._counted(address, found)
            for address, found in (*self.objects.items(), *self._read_projects())
            if address in desired.resources
        }
        for address, run in self.runs.items():
            if address in desired.resources:
                there[address] = CurrentRun(
                    id=run.id,
                    model=address.path[0],
                    name=address.name,
                    config=run.config,
                )
        return Current(resources=there)

    def _counted(self, address: Address, found: CurrentResource) -> CurrentResource:
        match found:
            case CurrentDataset():
                keys = frozenset(map(GlobalKey, self.data_rows[found.id]))
                return replace(found, keys=keys)
            case CurrentModel():
                runs = sum(one.path[0] == address.name for one in self.runs)
                return replace(found, run_count=runs)
            case _:
                return found

    def _read_projects(self) -> Iterator[tuple[Address, CurrentProject]]:
        for address, project in self.projects.items():
            yield (
                address,
                CurrentProject(
                    id=project.id,
                    name=address.name,
                    media_type=project.media_type,
                    ontology_id=project.ontology_id,
                    imports=dict(project.imports),
                ),
            )

    def read_rows(self, run: RemoteId, *, expected: int) -> CurrentRows:
        del expected  # no pages, no exports
        return collect([list(self._rows(self._run(run)))])

    def read_labels(self, run: RemoteId) -> Sequence[CurrentLabel]:
        return list(self._run(run).labels.values())

    def read_project_labels(self, project: RemoteId) -> Sequence[CurrentLabel]:
        found = next(one for one in self.projects.values() if one.id == project)
        return found.labels()

    def read_status(self, run: RemoteId) -> RunStatus | None:
        return self._run(run).status

    def select(
        self, selection: Selection, source: RemoteId
    ) -> Iterator[Sequence[SelectedRow]]:
        if selection.source.kind is Kind.PROJECT:
            keys = {one.row or "" for one in self.read_project_labels(source)}
        else:
            keys = self.data_rows[source]
        yield [SelectedRow(f"id-of-{key}", key, {}) for key in sorted(keys)]

    def run_contents(
        self, run: RemoteId, wanted: ExportParams
    ) -> Iterator[Sequence[RunRow]]:
        del wanted  # data rows have nothing beside them
        for row in self._rows(self._run(run)):
            data_row: JsonObject = {"id": row.id, "global_key": row.key}
            yield [
                RunRow(
                    id=row.id,
                    key=row.key,
                    split=row.split,
                    line=json.dumps({"data_row": data_row}).encode(),
                    data_row=data_row,
                )
            ]

    def survey(self, address: Address) -> Survey:
        model = model_address(address.path[0])
        found = self.objects.get(model)
        runs = sorted(
            (one for one in self.runs if address in (one, model_address(one.path[0]))),
            key=lambda one: one.name,
        )
        if not isinstance(found, CurrentModel) or (address != model and not runs):
            raise InputError([Diagnostic("not-found", f"{address} does not exist")])
        ontology = next(
            one for one in self.objects.values() if one.id == found.ontology_id
        )
        assert isinstance(ontology, CurrentOntology)
        return Survey(
            id=found.id,
            name=found.name,
            ontology_id=ontology.id,
            ontology_name=ontology.name,
            media_type=ontology.media_type,
            schema=ontology.schema,
            runs=tuple(
                SurveyedRun(
                    id=self.runs[one].id,
                    name=one.name,
                    config=self.runs[one].config,
                    status=self.runs[one].status,
                )
                for one in runs
            ),
        )

    def download(self, url: str) -> bytes:
        if url not in self.files:
            raise NotFound(f"{url} is not there")
        return self.files[url]

    def download_to(self, url: str, file: IO[bytes]) -> None:
        file.write(self.download(url))

    def notices(self) -> tuple[Notice, ...]:
        return ()

    def unknown_keys(self, keys: Iterable[GlobalKey]) -> frozenset[GlobalKey]:
        known = set[str]().union(*self.data_rows.values())
        return frozenset(keys) - frozenset(map(GlobalKey, known))

    def perform(
        self, step: Step, *, ids: Mapping[Address, RemoteId]
    ) -> RemoteId | None:
        if step.address in self.fail:
            raise RemoteError("refused", operation=type(step).__name__)
        self.performed.append(step)
        try:
            return self._perform(step, ids)
        finally:
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after < 0:
                    self.dies_after = None
                    raise Killed

    def _perform(self, step: Step, ids: Mapping[Address, RemoteId]) -> RemoteId | None:
        match step:
            case (
                CreateOntology()
                | CreateDataset()
                | CreateModel()
                | CreateProject()
                | CreateRun()
            ):
                return self._create(step, ids)
            case DescribeDataset():
                there = self.objects[step.address]
                assert isinstance(there, CurrentDataset)
                described = replace(there, description=step.description)
                self.objects[step.address] = described
            case UploadDataRows():
                keys = self.data_rows[ids[step.address]]
                keys.update(row.global_key for row in step.rows)
            case ConnectOntology() | BatchRows():
                self._change_project(step, ids)
            case SendChunk():
                self._send(step)
            case _:
                self._change_run(step)
        return None

    def _create(
        self,
        step: CreateOntology | CreateDataset | CreateModel | CreateProject | CreateRun,
        ids: Mapping[Address, RemoteId],
    ) -> RemoteId:
        address, name = step.address, step.address.name
        new = next(self._ids)
        match step:
            case CreateRun():
                return self.runs.setdefault(address, FakeRun(new)).id
            case CreateProject():
                made = FakeProject(new, step.media_type)
                return self.projects.setdefault(address, made).id
            case CreateOntology():
                ontology = CurrentOntology(
                    id=new, name=name, media_type=step.media_type, schema=step.schema
                )
                return self.objects.setdefault(address, ontology).id
            case CreateDataset():
                self.data_rows.setdefault(new, set())
                dataset = CurrentDataset(
                    id=new, name=name, description=step.description, keys=None
                )
                return self.objects.setdefault(address, dataset).id
            case CreateModel():
                model = CurrentModel(id=new, name=name, ontology_id=ids[step.ontology])
                return self.objects.setdefault(address, model).id

    def _change_project(
        self, step: ConnectOntology | BatchRows, ids: Mapping[Address, RemoteId]
    ) -> None:
        project = self.projects[step.address]
        if isinstance(step, ConnectOntology):
            project.ontology_id = ids[step.ontology]
        else:
            assert self.unknown_keys(map(GlobalKey, step.rows)) == frozenset()
            project.batches.add(step.name)
            project.rows.update(f"id-of-{key}" for key in step.rows)

    def _change_run(self, step: Step) -> None:
        run = self.runs[step.address]
        match step:
            case CheckRun():
                self._check(step, run)
            case SetConfig():
                run.config = step.config
            case AddRows():
                for name in step.names:
                    run.rows.setdefault(_id(name, step.by), Split.UNASSIGNED)
            case AssignSplits():
                for split, names in step.assignments.items():
                    for name in names:
                        assert _id(name, step.by) in run.rows
                        run.rows[_id(name, step.by)] = split
            case RemoveRows():
                for one in step.ids:
                    run.rows.pop(one, None)
                    run.labels.pop(one, None)
                    run.sent.pop(one, None)
            case AddLabels():
                for pin in step.labels:
                    self._give(run, self._label(pin, step.project))
            case AddLabelIds():
                for label in self._all_labels():
                    if label.label_id in step.ids:
                        self._give(run, label)
            case SetStatus():
                run.status = _merged(run.status, step.status)
            case _:
                raise AssertionError(f"{step} is no step of a run")

    def _send(self, step: SendChunk) -> None:
        place = (
            self.projects[step.address]
            if step.family is Family.LABELS
            else self.runs[step.address]
        )
        if step.job in place.imports:
            assert step.may_exist, f"{step.job} was started twice"
            if place.imports[step.job] is JobState.FINISHED:
                if refused := self._refused(step, place):
                    raise LinesRefused(refused, of=step.chunk.count, operation="import")
                return
        content = step.chunk.lines.read()
        assert hashlib.sha256(content).hexdigest() == step.chunk.digest
        refused = self._refused(step, place)
        rows = {one.row for one in refused}
        for line in step.chunk.lines:
            row = _row(decode(line))
            if _key(row) not in rows:
                place.sent.setdefault(row, {})[identity(line)] = line
        place.imports[step.job] = JobState.FINISHED
        if refused:
            raise LinesRefused(refused, of=step.chunk.count, operation="import")

    def _refused(
        self, step: SendChunk, place: FakeProject | FakeRun
    ) -> list[LineRefusal]:
        found = []
        for line in step.chunk.lines:
            row = decode(line)
            key = _key(_row(row))
            if _row(row) not in place.rows:
                found.append(LineRefusal(key, row.uuid, "the data row is not there"))
            elif key in self.refuse:
                found.append(LineRefusal(key, row.uuid, self.refuse[key]))
        return found

    def _label(self, pin: PinnedLabel, project: Address | None) -> CurrentLabel:
        for label in (
            self._all_labels() if project is None else self.projects[project].labels()
        ):
            fits = label.row == pin.row and label.content == pin.content
            if fits if project is not None else label.label_id == pin.label_id:
                return label
        raise Stale(f"no label of {pin.row} says what was pinned")

    def _all_labels(self) -> Iterator[CurrentLabel]:
        for project in self.projects.values():
            yield from project.labels()

    def _give(self, run: FakeRun, label: CurrentLabel) -> None:
        run.rows.setdefault(label.row_id, Split.UNASSIGNED)
        run.labels[label.row_id] = label

    def _run(self, run: RemoteId) -> FakeRun:
        return next(one for one in self.runs.values() if one.id == run)

    def _check(self, step: CheckRun, run: FakeRun) -> None:
        if step.config is not None and digest(run.config) != step.config:
            raise Stale("the config changed")
        if step.rows is not None:
            now = collect([list(self._rows(run))]).digest(step.by)
            if now != step.rows:
                raise Stale("the rows changed")

    def _rows(self, run: FakeRun) -> Iterator[CurrentRow]:
        for row, split in run.rows.items():
            yield CurrentRow(row, _key(row), split)


_SESSIONS = count(1)


class FakeLedger:
    """An inventory in memory, which is recalled by another session each time."""

    def __init__(self) -> None:
        self._sent: list[Entry] = []
        self._owned: dict[Address, RemoteId] = {}

    def recall(self) -> Inventory:
        return Inventory(
            owned=dict(self._owned),
            uploads=collected(self._sent),
            lineage=f"{next(_SESSIONS):08x}",
        )

    def adopt(self, plan: Plan) -> None:
        self._sent.extend(intents(plan))

    def record(
        self, events: Iterable[Event], *, ids: Mapping[Address, RemoteId]
    ) -> Iterator[Event]:
        known = dict(ids)
        for event in events:
            match event:
                case Finished(
                    step=SendChunk() as step,
                    outcome=Done() | Failed() | Skipped() as outcome,
                ):
                    entry = outcome_of(step, outcome, known.get(step.address))
                    if entry is not None:
                        self._sent.append(entry)
                case Finished(step=step, outcome=Done(id=str() as made)):
                    known[step.address] = self._owned[step.address] = made
                case _:
                    pass
            yield event


def _merged(before: RunStatus | None, now: RunStatus) -> RunStatus:
    if before is None:
        return now
    assert before.status is now.status or before.status.comes_before(now.status)
    return RunStatus(
        now.status,
        {**before.metadata, **now.metadata},
        now.error_message or before.error_message,
    )


def _row(row: Row) -> str:
    assert row.data_row is not None
    if row.data_row.global_key is not None:
        return f"id-of-{row.data_row.global_key}"
    assert row.data_row.id is not None
    return row.data_row.id


def _key(row_id: str) -> str:
    return row_id.removeprefix("id-of-")


def _id(name: str, by: RowIdentity) -> str:
    return name if by is RowIdentity.DATA_ROW_ID else f"id-of-{name}"

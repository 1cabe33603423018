"""A remote in memory: the two ports, without a wire."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from reconciler.plan.changes import Notice
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CheckRun,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateRun,
    DescribeDataset,
    RemoveRows,
    SetConfig,
    Step,
    UploadDataRows,
)
from reconciler.ports import Organisation, RemoteError, Stale
from reconciler.rows.change import CurrentRow
from reconciler.rows.current import CurrentRows, collect
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.resources import GlobalKey, RowIdentity, Split
from reconciler.state.snapshot import (
    Current,
    CurrentDataset,
    CurrentModel,
    CurrentOntology,
    CurrentResource,
    CurrentRun,
    Desired,
)


@dataclass
class FakeRun:
    """A run in memory; rows by data row id."""

    id: RemoteId
    config: JsonObject = field(default_factory=dict)
    rows: dict[str, Split] = field(default_factory=dict)


class FakeRemote:
    """Objects by address; data rows by key, their id is `id-of-KEY`.

    Attributes:
        performed: Every step in the order in which it was carried out.
        fail: Addresses whose steps are refused.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._ids = (RemoteId(f"id-{n}") for n in count(1))
        self.data_rows: dict[str, set[str]] = {"": set(keys)}
        self.objects: dict[Address, CurrentResource] = {}
        self.runs: dict[Address, FakeRun] = {}
        self.performed: list[Step] = []
        self.fail: set[Address] = set()

    def organisation(self) -> Organisation:
        return Organisation(RemoteId("org"), "Fake")

    def read(self, desired: Desired) -> Current:
        there = {
            address: found
            for address, found in self.objects.items()
            if address in desired.resources
        }
        for address, found in there.items():
            if isinstance(found, CurrentDataset):
                keys = frozenset(map(GlobalKey, self.data_rows[found.id]))
                there[address] = CurrentDataset(
                    id=found.id,
                    name=found.name,
                    description=found.description,
                    keys=keys,
                )
        for address, run in self.runs.items():
            if address in desired.resources:
                there[address] = CurrentRun(
                    id=run.id,
                    model=address.path[0],
                    name=address.name,
                    config=run.config,
                )
        return Current(resources=there)

    def read_rows(self, run: RemoteId, *, expected: int) -> CurrentRows:
        del expected  # no pages, no exports
        found = next(one for one in self.runs.values() if one.id == run)
        return collect([list(self._rows(found))])

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
        return self._perform(step, ids)

    def _perform(self, step: Step, ids: Mapping[Address, RemoteId]) -> RemoteId | None:
        match step:
            case CreateOntology():
                return self._create(
                    step.address,
                    CurrentOntology(
                        id=next(self._ids),
                        name=step.address.name,
                        media_type=step.media_type,
                        schema=step.schema,
                    ),
                )
            case CreateDataset():
                made = CurrentDataset(
                    id=next(self._ids),
                    name=step.address.name,
                    description=step.description,
                    keys=None,
                )
                self.data_rows.setdefault(made.id, set())
                return self._create(step.address, made)
            case DescribeDataset():
                there = self.objects[step.address]
                assert isinstance(there, CurrentDataset)
                self.objects[step.address] = CurrentDataset(
                    id=there.id,
                    name=there.name,
                    description=step.description,
                    keys=None,
                )
            case UploadDataRows():
                keys = self.data_rows[ids[step.address]]
                keys.update(row.global_key for row in step.rows)
            case CreateModel():
                return self._create(
                    step.address,
                    CurrentModel(
                        id=next(self._ids),
                        name=step.address.name,
                        ontology_id=ids[step.ontology],
                    ),
                )
            case CreateRun():
                run = self.runs.setdefault(step.address, FakeRun(next(self._ids)))
                return run.id
            case CheckRun():
                self._check(step)
            case SetConfig():
                self.runs[step.address].config = step.config
            case AddRows():
                rows = self.runs[step.address].rows
                for name in step.names:
                    rows.setdefault(_id(name, step.by), Split.UNASSIGNED)
            case AssignSplits():
                rows = self.runs[step.address].rows
                for split, names in step.assignments.items():
                    for name in names:
                        assert _id(name, step.by) in rows
                        rows[_id(name, step.by)] = split
            case RemoveRows():
                for one in step.ids:
                    self.runs[step.address].rows.pop(one, None)
        return None

    def _create(self, address: Address, made: CurrentResource) -> RemoteId:
        return self.objects.setdefault(address, made).id

    def _check(self, step: CheckRun) -> None:
        run = self.runs[step.address]
        if step.config is not None and digest(run.config) != step.config:
            raise Stale("the config changed")
        if step.rows is not None:
            now = collect([list(self._rows(run))]).digest(step.by)
            if now != step.rows:
                raise Stale("the rows changed")

    def _rows(self, run: FakeRun) -> Iterator[CurrentRow]:
        for row, split in run.rows.items():
            yield CurrentRow(row, row.removeprefix("id-of-"), split)


def _id(name: str, by: RowIdentity) -> str:
    return name if by is RowIdentity.DATA_ROW_ID else f"id-of-{name}"

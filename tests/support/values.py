"""Short ways to say the values that tests of several stages are about."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from reconciler.annotations.content import contents_of, label_hash
from reconciler.annotations.marks import mark, metric_identity, pack
from reconciler.annotations.metrics import key_of
from reconciler.annotations.rows import decode
from reconciler.plan.build import Plan, Target, build
from reconciler.plan.changes import RowChanges
from reconciler.plan.guards import Allowance, Guard, Guards
from reconciler.plan.labels import LabelsFound
from reconciler.rows.change import CurrentRow
from reconciler.rows.current import CurrentRows, collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import make_membership
from reconciler.state.address import Address, RemoteId, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash
from reconciler.state.resources import (
    DataRow,
    GlobalKey,
    Membership,
    Model,
    Ontology,
    Resource,
    RowIdentity,
    Run,
    RunStatus,
    Split,
)
from reconciler.state.snapshot import (
    Current,
    CurrentModel,
    CurrentOntology,
    CurrentResource,
    CurrentRun,
    Desired,
)
from reconciler.state.uploads import Chunk, Family, Slot, Uploads

TARGET = Target("local", RemoteId("org"), "Fake")
SCHEMA: JsonObject = {"tools": [], "classifications": []}
ONTOLOGY = Ontology("digits", "IMAGE", SCHEMA)
MODEL = Model("digits", ONTOLOGY.address)
RUN = run_address("digits", "svm")

CURRENT_ONTOLOGY = CurrentOntology(
    id=RemoteId("onto-1"), name="digits", media_type="IMAGE", schema=SCHEMA
)
CURRENT_MODEL = CurrentModel(
    id=RemoteId("model-1"), name="digits", ontology_id=RemoteId("onto-1")
)
PARENTS: Mapping[Address, CurrentResource] = {
    ONTOLOGY.address: CURRENT_ONTOLOGY,
    MODEL.address: CURRENT_MODEL,
}
REMOVAL = Allowance(Guard.ROWS_REMOVED, RUN)
OWNED = {
    ONTOLOGY.address: RemoteId("onto-1"),
    MODEL.address: RemoteId("model-1"),
    RUN: RemoteId("run-1"),
}


def members(
    rows: Mapping[str, Split],
    *,
    by: RowIdentity = RowIdentity.GLOBAL_KEY,
    assigns_splits: bool = True,
) -> Membership:
    """Make a membership by key."""
    return make_membership(dict(rows), by=by, assigns_splits=assigns_splits)


def current_rows(rows: Mapping[str, Split]) -> CurrentRows:
    """Make the rows of a run, by key; the id of key K is `id-of-K`."""
    return collect([[CurrentRow(f"id-of-{key}", key, rows[key]) for key in rows]])


def run(
    *, config: JsonObject | None = None, rows: Mapping[str, Split] | None = None
) -> Run:
    """Declare the run `run/digits/svm`."""
    return Run("digits", "svm", config, None if rows is None else members(rows))


def current_run(config: JsonObject | None = None) -> CurrentRun:
    """Have the run `run/digits/svm` exist as `run-1`."""
    return CurrentRun(
        id=RemoteId("run-1"), model="digits", name="svm", config=config or {}
    )


def desired(*resources: Resource) -> Desired:
    """Declare resources."""
    return Desired(resources={one.address: one for one in resources})


def data_row(key: str, fingerprint: str = "f1") -> DataRow:
    """Declare a data row."""
    return DataRow(
        GlobalKey(key), f"https://files.test/{key}.png", fingerprint=fingerprint
    )


@dataclass(frozen=True)
class PlainLines:
    """The lines of a chunk, at hand."""

    lines: tuple[bytes, ...]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.lines)

    def read(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)


def box_line(key: str, number: int = 0) -> bytes:
    """Write an annotation of a data row, with a uuid of its own."""
    line = {
        "uuid": str(uuid5(NAMESPACE_OID, f"{key} {number}")),
        "dataRow": {"globalKey": key},
        "name": "cat",
        "bbox": {"top": number, "left": 0, "height": 1, "width": 1},
    }
    return json.dumps(line).encode()


def metric_line(key: str, name: str = "iou_custom", value: float = 0.5) -> bytes:
    """Write a metric of a data row."""
    line = {"dataRow": {"globalKey": key}, "metricName": name, "metricValue": value}
    return json.dumps(line).encode()


def uploads(
    family: Family, lines: Mapping[str, Iterable[bytes]], *, slots: int = 1
) -> Uploads:
    """Deal lines, by the data row they are for, into slots."""
    rows: dict[Slot, dict[str, list[bytes]]] = {}
    for key, of_row in lines.items():
        if listed := list(of_row):
            rows.setdefault(Slot.holding(key, slots), {})[key] = listed
    return Uploads(
        family=family,
        by=RowIdentity.GLOBAL_KEY,
        slots=slots,
        chunks=tuple(_chunk(family, slot, rows[slot]) for slot in sorted(rows)),
        contents=(
            {key: said_by(list(of_row)) for key, of_row in lines.items()}
            if family is Family.LABELS
            else None
        ),
    )


def _chunk(family: Family, slot: Slot, rows: Mapping[str, list[bytes]]) -> Chunk:
    lines = PlainLines(tuple(sorted(line for those in rows.values() for line in those)))
    marks = [mark(key, identity(line)) for key in rows for line in rows[key]]
    return Chunk(
        slot=slot,
        digest=hashlib.sha256(lines.read()).hexdigest(),
        count=len(lines.lines),
        rows=len(rows),
        lines=lines,
        marks=pack(marks),
        names=tuple(sorted(rows)) if family is Family.LABELS else (),
    )


def identity(line: bytes) -> str:
    """Say which annotation or metric of its data row a line is."""
    row = decode(line)
    return row.uuid if row.uuid is not None else metric_identity(key_of(row))


def said_by(lines: Iterable[bytes]) -> ContentHash:
    """Say what a label of these annotations says."""
    rows = [(decode(line), None) for line in lines]
    return label_hash(contents_of(rows, marks=False))


def plan_of(
    *resources: Resource,
    there: Mapping[Address, CurrentResource] | None = None,
    rows: Mapping[Address, Mapping[str, Split]] | None = None,
    owned: Mapping[Address, RemoteId] | None = None,
    guards: Guards | None = None,
    allowed: Iterable[Allowance] = (),
    batch_size: int = 10_000,
    selected: frozenset[Address] | None = None,
    labels: Mapping[Address, LabelsFound] | None = None,
    sent: Mapping[Address, tuple[Uploads, ...]] | None = None,
    inventory: Inventory | None = None,
    statuses: Mapping[Address, RunStatus | None] | None = None,
    run_limit: int | None = None,
) -> Plan:
    """Plan resources against what is there; rows by the run's address."""
    changes: RowChanges = {
        one.address: diff_rows(
            desired=one.rows, current=current_rows((rows or {}).get(one.address, {}))
        )
        for one in resources
        if isinstance(one, Run) and one.rows is not None
    }
    return build(
        workspace="test",
        target=TARGET,
        desired=desired(*resources),
        current=Current(resources=there or {}),
        rows=changes,
        inventory=inventory or Inventory(owned=OWNED if owned is None else owned),
        labels=labels or {},
        uploads=sent or {},
        statuses=statuses or {},
        run_limit=run_limit,
        guards=guards or Guards(),
        allowed=allowed,
        batch_size=batch_size,
        selected=selected,
    )

"""Short ways to say the values that tests of several stages are about."""

from collections.abc import Iterable, Mapping

from reconciler.plan.build import Plan, Target, build
from reconciler.plan.changes import RowChanges
from reconciler.plan.guards import Guards
from reconciler.rows.change import CurrentRow
from reconciler.rows.current import CurrentRows, collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import make_membership
from reconciler.state.address import Address, RemoteId, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.resources import (
    DataRow,
    GlobalKey,
    Membership,
    Model,
    Ontology,
    Resource,
    RowIdentity,
    Run,
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


def plan_of(
    *resources: Resource,
    there: Mapping[Address, CurrentResource] | None = None,
    rows: Mapping[Address, Mapping[str, Split]] | None = None,
    owned: Mapping[Address, RemoteId] | None = None,
    guards: Guards | None = None,
    allowed: Iterable[Address] = (),
    batch_size: int = 10_000,
    selected: frozenset[Address] | None = None,
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
        inventory=Inventory(owned=OWNED if owned is None else owned),
        guards=guards or Guards(),
        allowed=allowed,
        batch_size=batch_size,
        selected=selected,
    )

"""What the ports promise, asked of the real client and of the fake alike."""

from collections.abc import Mapping

import pytest

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
from reconciler.ports import Reader, Stale, Writer
from reconciler.rows.change import CurrentRow
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.resources import (
    DataRow,
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Resource,
    RowIdentity,
    Run,
    Split,
)
from reconciler.state.snapshot import CurrentDataset, CurrentRun, Desired
from tests.contract.twin import Remote

ONTOLOGY = Address(Kind.ONTOLOGY, ("shapes",))
DATASET = Address(Kind.DATASET, ("digits",))
MODEL = model_address("vision")
RUN = run_address("vision", "r1")
BY_KEY = RowIdentity.GLOBAL_KEY
SCHEMA: JsonObject = {
    "tools": [
        {"tool": "rectangle", "name": "cat", "required": False, "classifications": []}
    ],
    "classifications": [
        {
            "type": "radio",
            "name": "light",
            "instructions": "light",
            "required": True,
            "scope": "global",
            "options": [
                {"value": "day", "label": "day", "options": []},
                {"value": "night", "label": "night", "options": []},
            ],
        }
    ],
}


def data_rows(*keys: str) -> tuple[DataRow, ...]:
    return tuple(DataRow(GlobalKey(key), f"https://x.test/{key}.png") for key in keys)


def performed(
    remote: Writer, *steps: Step, ids: Mapping[Address, RemoteId] | None = None
) -> dict[Address, RemoteId]:
    known = dict(ids or {})
    for step in steps:
        if (made := remote.perform(step, ids=known)) is not None:
            known[step.address] = made
    return known


def with_a_run(remote: Writer, *keys: str) -> dict[Address, RemoteId]:
    steps: list[Step] = [
        CreateOntology(ONTOLOGY, "IMAGE", SCHEMA),
        CreateDataset(DATASET, "handwritten"),
        CreateModel(MODEL, ONTOLOGY),
        CreateRun(RUN),
    ]
    if keys:
        steps.append(UploadDataRows(DATASET, data_rows(*keys)))
    return performed(remote, *steps)


def desired(*resources: Resource) -> Desired:
    return Desired(resources={resource.address: resource for resource in resources})


ALL = desired(
    Ontology("shapes", "IMAGE", SCHEMA),
    Dataset("digits", data_rows={row.global_key: row for row in data_rows("a", "b")}),
    Model("vision", ONTOLOGY),
    Run("vision", "r1"),
)


def splits(remote: Reader, ids: Mapping[Address, RemoteId]) -> dict[str | None, Split]:
    return {key: split for _, key, split in remote.read_rows(ids[RUN], expected=0)}


def test_what_is_not_there_is_absent(remote: Remote) -> None:
    assert remote.read(ALL).resources == {}


def test_what_was_created_is_read_as_it_was_declared(remote: Remote) -> None:
    ids = with_a_run(remote, "a", "b")

    current = remote.read(ALL)

    assert {address: current.id_of(address) for address in ids} == ids
    assert current.elsewhere == {}
    dataset = current.resources[DATASET]
    assert isinstance(dataset, CurrentDataset)
    assert dataset.description == "handwritten"
    assert dataset.keys == frozenset({"a", "b"})
    assert current.resources[RUN] == CurrentRun(
        id=ids[RUN], model="vision", name="r1", config={}
    )
    ontology = current.resources[ONTOLOGY]
    assert (ontology.name, getattr(ontology, "media_type", None)) == ("shapes", "IMAGE")
    assert getattr(ontology, "schema", None) == SCHEMA


def test_creating_twice_is_creating_once(remote: Remote) -> None:
    assert with_a_run(remote) == with_a_run(remote)


def test_what_is_uploaded_later_joins_what_is_there(remote: Remote) -> None:
    ids = with_a_run(remote, "a")

    performed(remote, UploadDataRows(DATASET, data_rows("b")), ids=ids)

    dataset = remote.read(ALL).resources[DATASET]
    assert isinstance(dataset, CurrentDataset)
    assert dataset.keys == frozenset({"a", "b"})


def test_a_description_can_be_replaced(remote: Remote) -> None:
    ids = with_a_run(remote)

    performed(remote, DescribeDataset(DATASET, "printed"), ids=ids)

    dataset = remote.read(ALL).resources[DATASET]
    assert isinstance(dataset, CurrentDataset)
    assert dataset.description == "printed"


def test_a_config_is_replaced_as_a_whole_and_reset_by_an_empty_one(
    remote: Remote,
) -> None:
    def config() -> object:
        return getattr(remote.read(managed).resources[RUN], "config", None)

    managed = desired(Model("vision", ONTOLOGY), Run("vision", "r1", {}))

    ids = with_a_run(remote)

    performed(remote, SetConfig(RUN, {"batch_size": 32, "lr": 0.1}), ids=ids)
    assert config() == {"batch_size": 32, "lr": 0.1}
    performed(remote, SetConfig(RUN, {"batch_size": 64}), ids=ids)
    assert config() == {"batch_size": 64}
    performed(remote, SetConfig(RUN, {}), ids=ids)
    assert config() == {}


def test_rows_are_added_moved_and_removed_and_twice_is_once(remote: Remote) -> None:
    ids = with_a_run(remote, "a", "b", "c")
    add = AddRows(RUN, BY_KEY, ("a", "b", "c"))
    assign = AssignSplits(RUN, BY_KEY, {Split.TRAINING: ("a",), Split.TEST: ("b",)})

    performed(remote, add, add, assign, assign, ids=ids)
    assert splits(remote, ids) == {
        "a": Split.TRAINING,
        "b": Split.TEST,
        "c": Split.UNASSIGNED,
    }

    by_key = {row.key: row.id for row in remote.read_rows(ids[RUN], expected=0)}
    remove = RemoveRows(RUN, (RemoteId(by_key["a"]), RemoteId(by_key["c"])))
    performed(remote, remove, remove, ids=ids)
    assert splits(remote, ids) == {"b": Split.TEST}


def test_rows_can_be_named_by_id(remote: Remote) -> None:
    ids = with_a_run(remote, "a", "b")
    performed(remote, AddRows(RUN, BY_KEY, ("a", "b")), ids=ids)
    names = {row.key: row.id for row in remote.read_rows(ids[RUN], expected=0)}
    by_id = RowIdentity.DATA_ROW_ID

    performed(
        remote,
        AddRows(RUN, by_id, (names["a"],)),
        AssignSplits(RUN, by_id, {Split.VALIDATION: (names["b"],)}),
        ids=ids,
    )

    assert set(remote.read_rows(ids[RUN], expected=0)) == {
        CurrentRow(names["a"], "a", Split.UNASSIGNED),
        CurrentRow(names["b"], "b", Split.VALIDATION),
    }


def test_keys_that_nobody_knows_are_told(remote: Remote) -> None:
    with_a_run(remote, "a")

    found = remote.unknown_keys(map(GlobalKey, ["a", "nobody", "x y"]))

    assert found == {GlobalKey("nobody"), GlobalKey("x y")}


def test_a_run_as_planned_passes_and_one_that_changed_is_stale(remote: Remote) -> None:
    ids = with_a_run(remote, "a")
    rows = remote.read_rows(ids[RUN], expected=0).digest(BY_KEY)
    check = CheckRun(RUN, digest({}), rows, BY_KEY, expected=0)

    performed(remote, check, AddRows(RUN, BY_KEY, ("a",)), ids=ids)

    with pytest.raises(Stale, match="rows"):
        remote.perform(check, ids=ids)


def test_an_organisation_has_a_name(remote: Remote) -> None:
    assert remote.organisation().name

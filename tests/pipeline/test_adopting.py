"""Runs that exist, declared as they are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.pipeline import adopting, planning, verifying, workspaces
from reconciler.pipeline.adopting import Adoption
from reconciler.pipeline.sessions import Session
from reconciler.plan.changes import Action
from reconciler.plan.steps import CreateModel, CreateOntology, CreateRun
from reconciler.server.settings import ServerSettings
from reconciler.state.address import Address, Kind, model_address, run_address
from reconciler.state.labels import LabelIds, LabelPins
from reconciler.state.ontology import normalise_ontology
from reconciler.state.resources import Ontology, RowIdentity, Run
from reconciler.state.uploads import Family
from tests.support.twins import session_on, twin
from tests.support.whole_runs import (
    KEYS,
    MODEL,
    ONTOLOGY,
    RUN,
    SCHEMA,
    Maker,
    whole_run,
    without_keys,
)

OTHER = run_address("pets", ".a/b")
FILES = [
    "specs/pets/locks/night.labels.lock",
    "specs/pets/model.yaml",
    "specs/pets/night.metrics.ndjson",
    "specs/pets/night.predictions.ndjson",
    "specs/pets/night.rows.csv",
    "specs/pets/night.yaml",
]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Session, Maker]]:
    with whole_run(tmp_path) as found:
        yield found


def adopt(session: Session, address: Address, to: Path | None = None) -> Adoption:
    """Adopt as a fresh process would."""
    root = session.specification.workspace.root
    given = adopting.specify_for_adoption(root)
    fresh = replace(session, specification=given, writer=None)
    return adopting.adopt(fresh, address, to=to)


def reopened(session: Session) -> Session:
    root = session.specification.workspace.root
    return replace(session, specification=workspaces.specify(root))


def files(session: Session) -> list[str]:
    root = session.specification.workspace.root
    return sorted(
        path.relative_to(root).as_posix()
        for path in (root / "specs").rglob("*")
        if path.is_file()
    )


def test_what_was_adopted_is_declared_as_it_is(made: tuple[Session, Maker]) -> None:
    session, _ = made

    done = adopt(session, RUN)

    assert done.addresses == (ONTOLOGY, MODEL, RUN)
    assert list(done.files) == files(session) == FILES
    assert done.skipped == ()
    assert "masks-at-urls" in [one.code for one in done.notices]
    again = reopened(session)
    desired = again.specification.desired
    assert desired.resources[ONTOLOGY] == Ontology("pets", "IMAGE", SCHEMA)
    run = desired.resources[RUN]
    assert isinstance(run, Run)
    assert isinstance(run.labels, LabelPins)
    assert run.labels.project is None
    assert verifying.verify_run(again, RUN)


def test_after_an_adoption_there_is_nothing_to_do(
    made: tuple[Session, Maker],
) -> None:
    session, _ = made
    adopt(session, MODEL)

    plan = planning.make_plan(reopened(session))

    assert not plan
    assert plan.blocked == ()
    assert {one.action for one in plan.changes} == {Action.ADOPT}


def test_the_inventory_knows_that_the_uploads_are_there(
    made: tuple[Session, Maker],
) -> None:
    session, maker = made
    adopt(session, RUN)

    uploads = session.ledger.recall().uploads

    assert sorted(uploads) == [(RUN, Family.METRICS), (RUN, Family.PREDICTIONS)]
    sent = [one for slots in uploads.values() for one in slots.values()]
    assert {(one.generation, one.finished, one.parent) for one in sent} == {
        (1, True, maker.ids[RUN])
    }
    assert sum(len(one.marks) // 10 for one in sent) == 8


def test_a_model_is_adopted_with_all_its_runs(made: tuple[Session, Maker]) -> None:
    session, maker = made
    maker.perform(CreateRun(OTHER))

    done = adopt(session, MODEL)

    assert done.addresses == (OTHER, ONTOLOGY, MODEL, RUN)
    assert "specs/pets/%2Ea%2Fb.yaml" in done.files
    desired = reopened(session).specification.desired
    empty = desired.resources[OTHER]
    assert isinstance(empty, Run)
    assert empty.config == {}
    assert empty.rows is not None
    assert len(empty.rows) == 0
    assert (empty.labels, empty.predictions, empty.status) == (None, None, None)


def test_runs_that_files_would_take_for_one_another_have_files_of_their_own(
    made: tuple[Session, Maker],
) -> None:
    session, maker = made
    for name in ("model", "Night", "NIGHT"):
        maker.perform(CreateRun(run_address("pets", name)))

    done = adopt(session, MODEL)
    maker.perform(CreateRun(run_address("pets", "nighT")))
    later = adopt(session, MODEL)

    for all_files in (done.files, (*done.files, *later.files)):
        assert len({one.casefold() for one in all_files}) == len(all_files)
    assert later.addresses == (run_address("pets", "nighT"),)
    declared = reopened(session).specification.desired.resources
    assert sum(one.kind is Kind.RUN for one in declared) == 5


def test_runs_that_can_not_be_declared_are_skipped_with_the_reason(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, maker = made
    padded, deep, huge = (
        run_address("pets", name) for name in (" padded", "deep", "huge")
    )
    for one in (padded, deep, huge):
        maker.perform(CreateRun(one))
    # More levels than a manifest may have.
    write_config(tmp_path, maker.ids[deep], '{"a":' * 200 + "1" + "}" * 200)
    write_config(tmp_path, maker.ids[huge], '{"seed": 9007199254740993}')

    done = adopt(session, MODEL)

    assert done.addresses == (ONTOLOGY, MODEL, RUN)
    skipped = [one for one in done.notices if one.code == "run-skipped"]
    assert {one.address for one in skipped} == {padded, deep, huge}
    (told,) = [one.message for one in skipped if one.address == huge]
    assert "seed: 9007199254740993 is beyond 2^53" in told
    assert files(session) == FILES
    assert not planning.make_plan(reopened(session))


@pytest.mark.parametrize(
    ("name", "config", "code"),
    [
        (" padded", "{}", "not-declarable"),
        ("deep", '{"a":' * 200 + "1" + "}" * 200, "yaml-depth"),
    ],
)
def test_one_run_that_can_not_be_declared_is_told_without_a_place(
    made: tuple[Session, Maker], tmp_path: Path, name: str, config: str, code: str
) -> None:
    session, maker = made
    address = run_address("pets", name)
    maker.perform(CreateRun(address))
    write_config(tmp_path, maker.ids[address], config)

    with pytest.raises(InputError) as caught:
        adopt(session, address)

    (found,) = caught.value.diagnostics
    assert (found.code, found.span, found.related) == (code, None, ())
    assert found.message.startswith(f"{address} can't be declared: ")
    assert files(session) == []


def write_config(folder: Path, run: str, config: str) -> None:
    """Set a config as somebody else might."""
    with closing(sqlite3.connect(folder / "store.db")) as db, db:
        set_one = "UPDATE model_runs SET config = ? WHERE id = ?"
        assert db.execute(set_one, (config, run)).rowcount == 1


def test_what_is_declared_is_not_declared_again(made: tuple[Session, Maker]) -> None:
    session, maker = made
    adopt(session, RUN)
    maker.perform(CreateRun(OTHER))

    second = adopt(session, MODEL)

    assert second.addresses == (OTHER,)
    assert second.skipped == (RUN,)
    assert second.files == ("specs/pets/%2Ea%2Fb.yaml",)
    for address in (RUN, MODEL):
        with pytest.raises(InputError) as caught:
            adopt(session, address)
        (found,) = caught.value.diagnostics
        assert found.code == "repeated-name"
        assert found.span is not None


def test_a_model_without_runs_can_be_adopted(made: tuple[Session, Maker]) -> None:
    session, maker = made
    bare = model_address("bare")
    maker.perform(CreateModel(bare, ONTOLOGY))

    done = adopt(session, bare)

    assert done.addresses == (ONTOLOGY, bare)
    assert done.files == ("specs/bare/model.yaml",)


def test_an_ontology_that_no_manifest_could_say_is_referred_to(
    made: tuple[Session, Maker],
) -> None:
    session, maker = made
    odd, model = Address(Kind.ONTOLOGY, ("odd",)), model_address("odd")
    twice = [{"tool": "line", "name": "a"}, {"tool": "point", "name": "a"}]
    maker.perform(CreateOntology(odd, "IMAGE", normalise_ontology({"tools": twice})))
    maker.perform(CreateModel(model, odd))

    done = adopt(session, model)

    assert [one.code for one in done.notices] == ["ontology-referred-to"]
    again = reopened(session)
    assert again.specification.desired.resources[odd] == Ontology("odd")
    assert not planning.make_plan(again)


def test_no_file_is_written_over_and_none_is_left(
    made: tuple[Session, Maker],
) -> None:
    session, _ = made
    root = session.specification.workspace.root
    mine = root / "specs" / "pets" / "night.metrics.ndjson"
    mine.parent.mkdir()
    mine.write_text("mine")

    with pytest.raises(InputError) as caught:
        adopt(session, RUN)

    assert [one.code for one in caught.value.diagnostics] == ["file-exists"]
    assert files(session) == ["specs/pets/night.metrics.ndjson"]
    assert mine.read_text() == "mine"
    assert session.ledger.recall().uploads == {}


def test_files_go_where_manifests_are_read(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    root = session.specification.workspace.root

    for astray in (root / "elsewhere", tmp_path / "x", root / "specs" / ".hidden"):
        with pytest.raises(InputError) as caught:
            adopt(session, RUN, astray)
        assert [one.code for one in caught.value.diagnostics] == ["file-outside"]
    done = adopt(session, RUN, root / "specs" / "a" / "b")

    assert done.files[0] == "specs/a/b/locks/night.labels.lock"


def test_rows_without_a_key_are_named_by_id(made: tuple[Session, Maker]) -> None:
    session, maker = made
    ids = maker.row_ids(RUN)
    keyless = replace(session, reader=without_keys(session.reader, KEYS[1]))

    done = adopt(keyless, RUN)

    assert "rows-by-id" in [one.code for one in done.notices]
    again = reopened(keyless)
    run = again.specification.desired.resources[RUN]
    assert isinstance(run, Run)
    assert run.rows is not None
    assert run.rows.by is RowIdentity.DATA_ROW_ID
    assert {name for name, _ in run.rows} == set(ids.values())
    assert isinstance(run.labels, LabelIds)
    assert len(run.labels.ids) == 2
    assert verifying.verify_run(again, RUN)
    assert not planning.make_plan(again)


@pytest.mark.parametrize(
    ("settings", "notices"),
    [
        (ServerSettings(), []),
        (
            ServerSettings(export_uuids=False),
            [
                "the remote gives no uuids of 5 predictions: once changed, they would "
                "be added beside those that are there"
            ],
        ),
    ],
    ids=["with", "without"],
)
def test_a_remote_that_gives_no_uuids_is_told_of(
    tmp_path: Path, settings: ServerSettings, notices: list[str]
) -> None:
    with whole_run(tmp_path, settings) as (session, _):
        done = adopt(session, RUN)

        assert verifying.verify_run(reopened(session), RUN)
    told = [one.message for one in done.notices if "uuid" in one.message]
    assert told == notices


def test_adopting_asks_for_an_export_and_changes_nothing(tmp_path: Path) -> None:
    with whole_run(tmp_path) as (session, _):
        pass
    workspace = session.specification.workspace.root
    with twin(tmp_path) as connect:
        tap = connect()
        given = adopting.specify_for_adoption(workspace)
        with session_on(tap, workspace, read_only=True, specification=given) as reading:
            adopting.adopt(reading, MODEL)

    assert len(tap.mutations()) == 1
    assert "exportDataRowsInModelRun" in tap.mutations()[0]


def test_a_workspace_that_is_wrong_is_not_added_to(
    made: tuple[Session, Maker],
) -> None:
    session, _ = made
    wrong = session.specification.workspace.root / "specs" / "wrong.yaml"
    wrong.write_text("kind: Model\n")

    with pytest.raises(InputError) as caught:
        adopt(session, RUN)

    assert {one.code for one in caught.value.diagnostics} == {"missing-field"}
    assert files(session) == ["specs/wrong.yaml"]

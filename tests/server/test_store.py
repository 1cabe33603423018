"""The store: opened, upgraded, shared, and killed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, text

from reconciler.server import migrations
from reconciler.server.errors import StoreError
from reconciler.server.store.database import Store, open_store
from reconciler.server.store.tables import metadata, secrets

Gql = Callable[..., Any]


def test_a_store_is_made_with_its_folders_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "store.db"
    with open_store(path) as first:
        identity = first.identity
    with open_store(f"sqlite:///{path}") as again:
        assert again.identity == identity


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    with store.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


@pytest.mark.parametrize(
    "table",
    ["projects", "task_queues", "batches", "labels", "annotation_imports", "slices"],
)
def test_the_number_of_what_was_deleted_is_never_given_out_again(
    store: Store, table: str
) -> None:
    query = text("SELECT sql FROM sqlite_master WHERE name = :name")
    with store.read() as db:
        made = db.execute(query, {"name": table}).scalar_one()

    assert "PRIMARY KEY AUTOINCREMENT" in made


def test_the_known_revision_is_the_last_one() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_a_store_of_the_first_version_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    _make_first_version(path)

    with open_store(path) as store, store.read() as db:
        tasks = db.execute(text("SELECT id, state FROM tasks ORDER BY pk")).all()
        chunks = db.execute(text("SELECT stream, last_byte FROM export_chunks")).all()
        features = db.execute(
            text("SELECT id, feature_schema_id, name FROM feature_schemas ORDER BY pk")
        ).all()

    assert tasks == [("good", "COMPLETE"), ("bad", "FAILED")]
    assert chunks == [("RESULT", 9)]
    assert features == [("n1", "f1", "cat"), ("n2", "f2", "weather")]


_PETS = json.dumps(
    {
        "tools": [{"schemaNodeId": "n1", "featureSchemaId": "f1", "name": "cat"}],
        "classifications": [
            {"schemaNodeId": "n2", "featureSchemaId": "f2", "instructions": "weather"}
        ],
    }
)


def _make_first_version(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    now = "2030-01-01T00:00:00.000Z"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in (
            f"INSERT INTO organizations VALUES (1, 'org', 'Org', '{now}', '{now}')",
            f"INSERT INTO users VALUES (1, 'me', 'me@x.test', 'Me', '{now}', '{now}')",
            "INSERT INTO secrets VALUES ('files', 'abcd')",
            f"INSERT INTO files VALUES (1, 'file', 'hash', 10, 'f', 't', '{now}')",
            "INSERT INTO tasks (pk, id, type, name, failed, created_at, updated_at)"
            f" VALUES (1, 'good', 'export-data-rows', '', 0, '{now}', '{now}'),"
            f" (2, 'bad', 'export-data-rows', '', 1, '{now}', '{now}')",
            "INSERT INTO export_chunks VALUES (1, 0, 9, 0, 0, 1)",
            "INSERT INTO ontologies (pk, id, name, normalized, object_count,"
            " classification_count, created_at, updated_at)"
            f" VALUES (1, 'o', 'pets', '{_PETS}', 1, 1, '{now}', '{now}'),"
            f" (2, 'p', 'pets too', '{_PETS}', 1, 1, '{now}', '{now}')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_current_store_opens_without_alembic(store: Store) -> None:
    code = (
        "import sys; from reconciler.server.store.database import open_store;"
        f"open_store({str(store.path)!r}).close();"
        "sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_store_of_a_later_version_is_refused(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    known = f"revision 9999, this version knows {migrations.HEAD}"
    with pytest.raises(StoreError, match=known):
        open_store(store.path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary, " * 200)

    with pytest.raises(StoreError, match="file is not a database"):
        open_store(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://db/twin", "a store is a SQLite file, not postgresql"),
        ("://", "is not the URL of a database"),
    ],
)
def test_another_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(url)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="can't be created"):
        open_store(tmp_path / "file" / "store.db")


def test_writes_reach_the_disk_before_they_are_answered(store: Store) -> None:
    with store.read() as connection:
        journal = connection.execute(text("PRAGMA journal_mode")).scalar()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar()
        foreign_keys = connection.execute(text("PRAGMA foreign_keys")).scalar()

    assert (journal, synchronous, foreign_keys) == ("wal", 2, 1)


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.write() as connection:
            connection.execute(insert(secrets).values(name="a", value="b"))
            raise KeyError

    with pytest.raises(KeyError):
        half()

    with store.read() as connection:
        rows = connection.execute(text("SELECT name FROM secrets")).scalars().all()
    assert rows == ["files"]


def test_many_threads_may_ask_at_once(gql: Gql, model: str) -> None:
    mutation = (
        "mutation R($name: String!, $m: ID!)"
        " { createModelRun(data: {name: $name, modelId: $m}) { id } }"
    )
    listing = "query L($m: ID!) { model(where: {id: $m}) { modelRuns { id } } }"
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                gql(mutation, name=f"{number}-{turn}", m=model)
                gql(listing, m=model)
        except BaseException as error:  # noqa: BLE001  # a thread's would be lost
            problems.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(gql(listing, m=model)["model"]["modelRuns"]) == 40


def test_two_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = (
        "from reconciler.server.store.database import open_store;"
        f"s = open_store({str(tmp_path / 'store.db')!r}); print(s.identity.user);"
        "s.close()"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    users = {process.communicate()[0] for process in started}

    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(users) == 1


def test_a_killed_writer_leaves_a_store_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = f"""
import os, signal
from sqlalchemy import insert
from reconciler.server.store.database import open_store
from reconciler.server.store.tables import secrets
store = open_store({str(path)!r})
with store.write() as db:
    db.execute(insert(secrets).values(name="done", value="x"))
with store.write() as db, store.files.writer() as (append, finish):
    append(b"half of a file")
    db.execute(insert(secrets).values(name="half", value="x"))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    with open_store(path) as store, store.read() as connection:
        names = connection.execute(text("SELECT name FROM secrets")).scalars().all()
        whole = [p for p in store.files.root.rglob("*") if len(p.name) == 64]

    assert killed.returncode == -signal.SIGKILL
    assert set(names) == {"files", "done"}
    assert whole == []


def test_a_store_is_an_ordinary_database(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    names = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.close()

    assert names[0] > 10
    assert os.access(store.path, os.R_OK)

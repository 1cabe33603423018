"""`reconciler serve`, as a process."""

import json
import re
import socket
import stat
import urllib.request
from pathlib import Path

from tests.support.processes import reconciler, serving
from tests.support.workspaces import make_workspace

READY = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


def ask(url: str, key: str, query: str = "{organization {name}}") -> dict[str, object]:
    request = urllib.request.Request(
        f"{url}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def url_of(line: str) -> str:
    found = READY.fullmatch(line)
    assert found is not None, line
    return found[1]


def test_it_says_where_it_listens_when_it_is_ready_and_stops_when_told(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, RECONCILER_SERVER_API_KEYS="one, two") as (line, process):
        url = url_of(line)
        answers = [ask(url, key) for key in ("one", "two", "three", "")]

    assert ["data" in answer and bool(answer["data"]) for answer in answers] == [
        True, True, False, False,
    ]  # fmt: skip
    assert process.returncode == 0


def test_without_keys_one_is_made_kept_and_never_printed(tmp_path: Path) -> None:
    with serving(tmp_path) as (line, process):
        file = tmp_path / ".reconciler" / "server.key"
        key = file.read_text().strip()
        answer = ask(url_of(line), key)
        assert process.stderr is not None
        said = process.stderr.readline()
    with serving(tmp_path):
        assert file.read_text().strip() == key

    assert answer["data"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in said
    assert key not in said + line


def test_in_a_workspace_it_serves_what_was_applied_locally(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    applied = reconciler(workspace, "apply", "--auto-approve")

    with serving(workspace / "specs", RECONCILER_SERVER_API_KEYS="k") as (line, _):
        answer = ask(url_of(line), "k", "{models(skip: 0, first: 9) {name}}")

    assert applied.returncode == 0, applied.stderr
    assert answer["data"] == {"models": [{"name": "animals"}]}


def test_another_store_may_be_named(tmp_path: Path) -> None:
    with serving(
        tmp_path, "--db", "sqlite:///other.db", RECONCILER_SERVER_API_KEYS="k"
    ) as (line, _):
        assert ask(url_of(line), "k")["data"]

    assert (tmp_path / "other.db").exists()


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = reconciler(tmp_path, "serve", "--port", str(port))

    assert refused.returncode == 1
    assert f"can't listen on 127.0.0.1:{port}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_store_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("no database")

    refused = reconciler(tmp_path, "serve", "--port", "0", "--db", "sqlite:///notes.db")

    assert refused.returncode == 1
    assert "notes.db" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_organization_has_a_store_of_its_own(tmp_path: Path) -> None:
    keys = "ours,theirs;organization=vision,reader;organization=vision;access=read"
    with serving(
        tmp_path, "--db", "sqlite:///s.db", RECONCILER_SERVER_API_KEYS=keys
    ) as (line, _):
        url = url_of(line)
        names = [ask(url, key)["data"] for key in ("ours", "theirs", "reader")]
        made = 'mutation { createDataset(data: {name: "s"}) { name } }'
        changed = [bool(ask(url, key, made)["data"]) for key in ("theirs", "reader")]

    assert names == [
        {"organization": {"name": "Reconciler"}},
        {"organization": {"name": "vision"}},
        {"organization": {"name": "vision"}},
    ]
    assert changed == [True, False]
    assert (tmp_path / "s.vision.db").exists()


def test_a_strict_server_takes_no_long_lists(tmp_path: Path) -> None:
    keys = ", ".join(f'"k{number}"' for number in range(1_001))
    query = (
        'mutation { createMEAModelRunDataRowRegistrationTask(where: {id: "none"},'
        f" data: {{globalKeys: [{keys}]}}) }}"
    )
    answers = []
    for options in ([], ["--strict-labelbox"]):
        with serving(tmp_path, *options, RECONCILER_SERVER_API_KEYS="k") as (line, _):
            answers.append(ask(url_of(line), "k", query))

    usual, strict = answers
    assert "'none' not found" in str(usual["errors"])
    assert "at most 1000 go in one request" in str(strict["errors"])


def test_keys_that_cant_be_used_are_told_without_being_shown(tmp_path: Path) -> None:
    ended = reconciler(
        tmp_path, "serve", RECONCILER_SERVER_API_KEYS="one,two;organisation=secret"
    )

    assert ended.returncode == 1
    assert "RECONCILER_SERVER_API_KEYS, entry 2: after the key come" in ended.stderr
    assert "secret" not in ended.stderr


def test_a_server_that_fetches_nothing_says_so(tmp_path: Path) -> None:
    query = (
        'mutation { createModelErrorAnalysisPredictionImport(data: {modelRunId: "x",'
        ' name: "a", fileUrl: "http://127.0.0.1:1/"}) { id } }'
    )
    answers = []
    for options in ([], ["--no-fetch"]):
        with serving(tmp_path, *options, RECONCILER_SERVER_API_KEYS="k") as (line, _):
            answers.append(str(ask(url_of(line), "k", query)["errors"]))

    usual, alone = answers
    assert "not found" in usual
    assert "this server fetches no files; upload it instead" in alone

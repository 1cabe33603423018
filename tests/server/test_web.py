"""The server as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

CODE = """
import sys
from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from reconciler.server.web import serve
with open_store(sys.argv[1]) as store:
    app = make_app(store, ServerSettings(), frozenset({"sesame"}))
    serve(app, "127.0.0.1", int(sys.argv[2]), lambda url: print(url, flush=True))
"""


def start(path: Path, port: str = "0") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CODE, str(path), port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with start(tmp_path / "store.db") as process:
        yield process
        process.kill()


def ask(url: str, query: str) -> httpx.Response:
    return httpx.post(
        f"{url}/graphql",
        json={"query": query},
        headers={"Authorization": "Bearer sesame"},
        trust_env=False,
    )


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def workers(process: subprocess.Popen[str]) -> list[int]:
    listing = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(one) for one in listing.split()]


def gone(pid: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_server_tells_its_url_answers_and_stops_cleanly(
    server: subprocess.Popen[str], stop: signal.Signals
) -> None:
    url = ready(server)
    answer = ask(url, "{ organization { name } }")
    children = workers(server)
    server.send_signal(stop)
    _, errors = server.communicate(timeout=20)

    assert answer.json() == {"data": {"organization": {"name": "Reconciler"}}}
    assert (server.returncode, errors) == (0, "")
    assert all(gone(pid) for pid in children)


def test_a_port_that_is_taken_is_refused(
    server: subprocess.Popen[str], tmp_path: Path
) -> None:
    port = ready(server).rpartition(":")[2]
    second = start(tmp_path / "other.db", port)
    _, errors = second.communicate(timeout=20)

    assert second.returncode == 1
    assert "Address already in use" in errors


def test_a_worker_does_not_outlive_a_killed_server(
    server: subprocess.Popen[str],
) -> None:
    ready(server)
    children = workers(server)
    server.kill()
    server.wait()

    assert children
    assert all(gone(pid) for pid in children)

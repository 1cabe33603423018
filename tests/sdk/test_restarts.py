"""A server that is killed again and again keeps every write it has acknowledged."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types
from lbox.exceptions import LabelboxError  # type: ignore[import-untyped]

from tests.sdk.site import KEY, Site, environment, splits_of
from tests.sdk.team import Team, box, exported, founded, short_sleeps

KILLS = 6
"""How often the server dies before the script may come to its end."""

T = TypeVar("T")


class Server:
    """A server in processes of its own, which can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = 0
        self.url = ""
        self.up = threading.Event()
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[str]":
        with environment(
            RECONCILER_HOME=str(self._home), RECONCILER_SERVER_API_KEYS=KEY
        ):
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "reconciler",
                    "serve",
                    "--port",
                    str(self._port),
                ],
                cwd=self._home,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        assert process.stdout is not None
        self.url = process.stdout.readline().split()[-1]
        self._port = int(self.url.rsplit(":", 1)[1])
        self.up.set()
        return process

    def kill(self) -> None:
        """Kill it with all its processes, at once."""
        self.up.clear()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def restart(self) -> None:
        """Start it again, at the same address."""
        self._process = self._start()


@contextmanager
def killed(server: Server, chance: random.Random) -> Iterator[Callable[[], int]]:
    """Kill the server at random moments; gives how often that was done."""
    over = threading.Event()
    kills = 0

    def kill_often() -> None:
        nonlocal kills
        while not over.wait(chance.uniform(0.02, 0.5)):
            server.kill()
            server.restart()
            kills += 1

    killer = threading.Thread(target=kill_often)
    killer.start()
    try:
        yield lambda: kills
    finally:
        over.set()
        killer.join()


@dataclass(slots=True)
class Round:
    """What the server has acknowledged of one run.

    Attributes:
        run: Id of the run.
        config: Its config.
        done: Which steps were acknowledged.
    """

    run: str
    config: dict[str, int]
    done: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Script:
    """A script that goes on when its server comes back."""

    server: Server
    team: Team

    def insist(self, step: Callable[[Client], T], client: Client) -> T:
        """Do a step until the server has acknowledged it."""
        while True:
            try:
                return step(client)
            except (LabelboxError, requests.ConnectionError):
                assert self.server.up.wait(20)

    def round(self, model: str, number: int) -> Round:
        """Make a run with all that a run has; each step may be done twice."""
        client, keys = self.team.client, self.team.keys
        config = {"round": number}
        run = self.insist(
            lambda sdk: sdk.get_model(model).create_model_run(f"run {number}", config),
            client,
        )
        found = Round(run.uid, config)
        drawn = [box(key) for key in keys]
        steps: dict[str, Callable[[Client], Any]] = {
            "rows": lambda _: run.upsert_data_rows(global_keys=keys),
            "split": lambda _: run.assign_data_rows_to_split(
                global_keys=keys, split="TEST"
            ),
            "labels": lambda _: run.upsert_labels(project_id=self.team.project.uid),
            "predictions": lambda _: _imported(run, drawn),
        }
        for name, step in steps.items():
            self.insist(step, client)
            found.done.append(name)
            self.insist(lambda _: _nothing_is_half_there(run, keys), client)
        return found


def _imported(run: Any, drawn: list[Any]) -> None:
    job = run.add_predictions("drawn", drawn)
    job.wait_till_done()
    assert job.state.name == "FINISHED"
    assert job.errors == []


def _nothing_is_half_there(run: Any, keys: list[str]) -> None:
    splits = splits_of(run)
    assert set(splits) in (set(), set(keys))
    assert len(set(splits.values())) <= 1


@pytest.mark.parametrize("seed", [1, 2])
def test_no_acknowledged_write_is_lost_when_the_server_is_killed(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    server = Server(tmp_path)
    try:
        with short_sleeps():
            client = Site(server.url, tmp_path / "server" / "store.db").sdk()
            script = Script(server, founded(client))
            model = client.create_model("model", script.team.ontology.uid).uid
            rounds: list[Round] = []
            with killed(server, chance) as kills:
                while kills() < KILLS:
                    rounds.append(script.round(model, len(rounds)))
            for one in rounds:
                _check(script.team, one)
    finally:
        server.kill()


def _check(team: Team, one: Round) -> None:
    run = team.client.get_model_run(one.run)
    assert run.get_config() == one.config
    rows = exported(run, predictions=True, model_run_details=True)
    assert set(rows) == set(team.keys)
    assert {row["split"] for row in rows.values()} == {"TEST"}
    for key, row in rows.items():
        (prediction,) = row["predictions"]
        assert len(prediction["annotations"]["objects"]) == 1
        labelled = key in team.keys[: len(team.labels)]
        assert len(row["labels"]) == labelled

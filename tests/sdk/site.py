"""A server as a team runs it, with the official SDK and the tool at its door."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types

from reconciler.cli.main import run
from reconciler.settings import VARIABLES

KEY = "the-key-of-the-team"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Have no variable that matters to the tool but these, and no proxy between."""
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def as_a_user(*arguments: str, **variables: str) -> Ended:
    """Run the tool as a process of its own."""
    with environment(**variables):
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
    return Ended(done.returncode, done.stdout, done.stderr)


def right_here(*arguments: str, **variables: str) -> Ended:
    """Run the tool in this process, which saves loading it again."""
    with (
        environment(**variables),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        code = run(arguments)
    return Ended(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True, slots=True)
class Site:
    """A running server.

    Attributes:
        url: Where it listens.
        store: The file that it keeps everything in.
    """

    url: str
    store: Path

    def sdk(self, key: str = KEY) -> Client:
        """Make a client of the official SDK, as its documentation says."""
        return Client(
            api_key=key,
            endpoint=f"{self.url}/graphql",
            rest_endpoint=f"{self.url}/api/v1",
            app_url=self.url,
            enable_experimental=True,  # splits are assigned by it only
        )

    def variables(self, key: str = KEY) -> dict[str, str]:
        """Say what leads the tool here."""
        return {"LABELBOX_ENDPOINT": self.url, "LABELBOX_API_KEY": key}


@contextmanager
def served(home: Path) -> Iterator[Site]:
    """Serve the store in a folder by `reconciler serve`, which must end well."""
    home.mkdir(exist_ok=True)
    with environment(RECONCILER_HOME=str(home), RECONCILER_SERVER_API_KEYS=KEY):
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "serve", "--port", "0"],
            cwd=home,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("listening on http://127.0.0.1:")
            yield Site(said.split()[-1], home / "server" / "store.db")
        finally:
            process.terminate()
            code = _end(process)
    assert code == 0


def _end(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@dataclass(frozen=True, slots=True)
class Checkout:
    """A workspace on disk, for a site."""

    path: Path
    site: Site

    def reconciler(self, command: str, *options: str) -> Ended:
        """Run a command on the workspace."""
        variables = self.site.variables()
        return right_here(command, str(self.path), *options, **variables)

    def command(self, command: str, *options: str) -> Ended:
        """Run a command from inside of the workspace."""
        with chdir(self.path):
            return right_here(command, *options, **self.site.variables())

    def apply(self) -> None:
        """Have the server be as the manifests say."""
        ended = self.reconciler("apply", "--auto-approve")
        assert ended.code == 0, ended.err

    def plan(self) -> dict[str, Any]:
        """Make a plan, as programs read it."""
        ended = self.reconciler("plan", "--detailed-exitcode", "--output", "json")
        plan: dict[str, Any] = json.loads(ended.out)
        assert ended.code == plan["exit_code"]
        return plan

    def actions(self) -> dict[str, str]:
        """Say what a plan does with each object."""
        return {one["address"]: one["action"] for one in self.plan()["changes"]}

    def drift(self) -> dict[str, dict[str, Any]]:
        """Say what a plan changes: by object its fields, rows and uploads."""
        plan = self.plan()
        found = {
            change["address"]: _differences(change)
            for change in plan["changes"]
            if change["action"] in {"create", "update"}
        }
        assert plan["exit_code"] == (2 if found else 0)
        return found


def _differences(change: dict[str, Any]) -> dict[str, Any]:
    rows = change.get("rows", {})
    kinds = ("added", "moved", "removed")
    found = {kind: rows[kind] for kind in kinds if rows and rows[kind]["count"]}
    if uploaded := change.get("data_rows", {}).get("sample"):
        found["uploaded"] = uploaded
    if change["fields"]:
        found["fields"] = change["fields"]
    return found


def run_of(client: Client, model: str, name: str) -> Any:
    """Find a run by the SDK."""
    (found,) = [one for one in client.get_models() if one.name == model]
    (the_run,) = [one for one in found.model_runs() if one.name == name]
    return the_run


def splits_of(the_run: Any) -> dict[str | None, str]:
    """Read a run's rows by the SDK: the split of each, by global key."""
    return {
        row.data_row().global_key: row.data_split.value
        for row in the_run.model_run_data_rows()
    }


def config_of(the_run: Any) -> str:
    """Read a run's config by the SDK: as JSON, which tells 1 from 1.0 and "1"."""
    return json.dumps(the_run.get_config(), sort_keys=True)

"""The whole job on real data, in a minute: plan, apply, plan again, drift.

Starts from an empty remote of its own, kept in `.reconciler/demo`, so that it
shows the same every time and touches nothing else.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(".reconciler/demo")
KEY = "demo-key"
RUN = "run/digits/svm-rbf"
TOOL = str(Path(sysconfig.get_path("scripts")) / "reconciler")
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("LABELBOX_")},  # noqa: TID251  # passed on to the commands that are shown
    "RECONCILER_HOME": str(HOME),
    "RECONCILER_SERVER_API_KEYS": KEY,
}


def say(text: str) -> None:
    """Tell what comes next."""
    print(f"\n\033[1m# {text}\033[0m" if sys.stdout.isatty() else f"\n# {text}")


def reconciler(*arguments: str, expect: int = 0) -> None:
    """Run a command as a user would, and stop if it ends unexpectedly."""
    print(f"$ reconciler {' '.join(arguments)}", flush=True)
    done = subprocess.run([TOOL, *arguments], cwd=ROOT, env=ENVIRONMENT, check=False)
    if done.returncode != expect:
        sys.exit(f"expected exit code {expect}, got {done.returncode}")


def move_a_row_by_hand() -> None:
    """Do what a colleague with a script would: change a split, tell nobody."""
    with subprocess.Popen(
        [TOOL, "serve", "--port", "0"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            run = find_run(url, model="digits", name="svm-rbf")
            post(
                url,
                "mutation($run: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!)"
                "{createAssignDataRowsToDataSplitTask(modelRun: {id: $run}, data: $data)}",
                run=run,
                data={
                    "assignments": [{"split": "TEST", "globalKeys": ["digits-0001"]}]
                },
            )
        finally:
            server.terminate()


def find_run(url: str, *, model: str, name: str) -> str:
    """Look up a run's id."""
    found = post(
        url,
        "query($model: String!) {models(where: {name: $model}, skip: 0, first: 1)"
        "{modelRuns(skip: 0, first: 100) {id name}}}",
        model=model,
    )
    runs = found["models"][0]["modelRuns"]
    return str(next(run["id"] for run in runs if run["name"] == name))


def post(url: str, query: str, **variables: object) -> dict[str, Any]:
    """Ask the API, as any client may."""
    request = urllib.request.Request(
        f"{url}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:
        body: dict[str, Any] = json.load(answer)
    if body.get("errors"):
        sys.exit(f"the server refused: {body['errors']}")
    data: dict[str, Any] = body["data"]
    return data


def main() -> None:
    """Show it."""
    shutil.rmtree(ROOT / HOME, ignore_errors=True)
    say("What would the manifests in specs/ bring about?")
    reconciler("plan", "specs")
    say("Bring it about: images, labels, seven trained runs, their predictions ...")
    reconciler("apply", "specs", "--auto-approve")
    say("Again: there is nothing left to do.")
    reconciler("plan", "specs", "--detailed-exitcode")
    say("A row is moved to another split behind the tool's back ...")
    move_a_row_by_hand()
    say("... which is no longer the run that was declared ...")
    reconciler("verify", RUN, expect=2)
    say("... and the next plan shows exactly that. A complete run takes a yes.")
    reconciler("plan", "specs", expect=3)
    reconciler("apply", "specs", "--auto-approve", "--allow-change", RUN)
    say("Now open specs/digits: it is a real experiment, with comments.")


if __name__ == "__main__":
    main()

"""Predictions from a file to finished: by us, by the SDK, and after a crash."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from tests.bench.data import Remote, client_environment, filled, key, workspace
from tests.bench.processes import KEY, TOOL, Sample, measure, script
from tests.bench.setting import Setting
from tests.bench.table import at_least, seconds

CRASHED_AT: Final = 0.9
"""How much of the lines are sent when the apply is killed."""

_PREDICTED: Final = "predictions: [{file: ../predictions.ndjson}]\n"


def sends(setting: Setting) -> None:
    """Compare processes from start to end; ours also plans, checks and plans again."""
    sizes, table = setting.sizes, setting.table
    folder = setting.folder / "send"
    count = sizes.predictions
    table.head(f"send: {count:,} predictions for {sizes.rows:,} rows", other="SDK")
    with filled(folder / "server", sizes.rows) as remote:
        lines = folder / "predictions.ndjson"
        _write(lines, count, sizes.rows)
        ours = _by_us(_declared(folder, remote, "ours", sizes.rows), remote)
        for name, waits in (("as it is", "as-it-is"), ("not sleeping", "awake")):
            run = remote.add_run(f"sdk-{waits}", sizes.rows)
            theirs = measure(script("sdk_send", remote.url, KEY, run, lines, waits))
            table.line(
                f"the SDK {name}",
                seconds(ours.seconds),
                seconds(theirs.seconds),
                theirs.seconds / ours.seconds,
                at_least(1) if waits == "as-it-is" else None,
                peak=ours.mebibytes,
            )
        root = _declared(folder, remote, "crashed", sizes.rows)
        before = _crash(root, remote)
        rest = _by_us(root, remote)
    after = _finished(root)
    table.line(
        f"jobs sent after a crash at {CRASHED_AT:.0%}; of",
        f"{len(after) - len(before)}",
        f"{len(set(after))}",
        (len(after) - len(before)) / len(set(after)),
    )
    table.line(
        "the rest after a crash; all",
        seconds(rest.seconds),
        seconds(ours.seconds),
        rest.seconds / ours.seconds,
    )


def _write(file: Path, count: int, rows: int) -> None:
    with file.open("w") as lines:
        for number in range(count):
            line = {
                "uuid": f"00000000-0000-4000-8000-{number:012}",
                "dataRow": {"globalKey": key(number % rows)},
                "name": "cat",
                "confidence": 0.5,
                "customMetrics": [{"name": "iou", "value": 0.5}],
                "bbox": {"top": 1.5, "left": 2.5, "height": 30.0, "width": 40.0},
                "classifications": [
                    {"name": "breed", "answer": {"name": "tabby", "confidence": 0.25}}
                ],
            }
            lines.write(f"{json.dumps(line)}\n")


def _declared(folder: Path, remote: Remote, name: str, rows: int) -> Path:
    """Declare a run that has its rows, and is to be sent predictions."""
    remote.add_run(name, rows)
    root = workspace(folder / name, [name], rows=rows)
    os.link(folder / "predictions.ndjson", root / "predictions.ndjson")
    with (root / "specs" / f"{name}.yaml").open("a") as manifest:
        manifest.write(_PREDICTED)
    return root


def _by_us(root: Path, remote: Remote) -> Sample:
    command = [TOOL, "apply", "--auto-approve"]
    return measure(command, env=client_environment(remote.url), folder=root)


def _crash(root: Path, remote: Remote) -> list[int]:
    """Kill an apply when it has sent most; give the slots that it had finished."""
    with subprocess.Popen(
        [TOOL, "apply", "--auto-approve"],
        cwd=root,
        env=client_environment(remote.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as apply:
        while apply.poll() is None and len(_finished(root)) < CRASHED_AT * _begun(root):
            time.sleep(0.005)
        apply.send_signal(signal.SIGKILL)
    return _finished(root)


def _finished(root: Path) -> list[int]:
    return [entry["slot"] for entry in _entries(root) if entry["finished"]]


def _begun(root: Path) -> int:
    return len({entry["slot"] for entry in _entries(root)}) or 1


def _entries(root: Path) -> list[dict[str, Any]]:
    """Read what the inventory says of slots, as far as it is written."""
    text = [
        file.read_text()
        for file in root.glob(".reconciler/inventory/*/*/uploads.jsonl")
    ]
    lines = "".join(text).rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in lines]

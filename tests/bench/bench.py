"""The cases, one after the other, each on what it needs."""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from platform import platform, python_version
from typing import Final

from tests.bench.cases.apply import applies
from tests.bench.cases.compare import compares
from tests.bench.cases.lock import locks
from tests.bench.cases.many import many
from tests.bench.cases.plan import plans
from tests.bench.cases.send import sends
from tests.bench.cases.serve import serves
from tests.bench.cases.start import starts
from tests.bench.cases.validate import validates
from tests.bench.setting import FULL, QUICK, Setting
from tests.bench.table import Table

CASES: Final[Mapping[str, Callable[[Setting], None]]] = {
    "start": starts,
    "compare": compares,
    "plan": plans,
    "many": many,
    "apply": applies,
    "serve": serves,
    "lock": locks,
    "validate": validates,
    "send": sends,
}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CASES, metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    given = parser.parse_args()
    print(f"{platform()}, {os.cpu_count()} cores, Python {python_version()}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        setting = Setting(Path(folder), QUICK if given.quick else FULL, Table())
        for name, case in CASES.items():
            if given.only in (None, name):
                case(setting)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{time.monotonic() - began:.0f} s in all; the bench itself: {own} MiB")

"""How soon the tool is there, when it has next to nothing to do."""

import sys
from functools import partial

from tests.bench.processes import TOOL, measure, medians
from tests.bench.setting import Setting
from tests.bench.table import seconds


def starts(setting: Setting) -> None:
    """Compare with an interpreter that does nothing."""
    table = setting.table
    table.head("start: from nothing to the end", other="python")
    nothing = partial(measure, [sys.executable, "-c", "pass"])
    for arguments in (["--version"], ["validate", "specs/"]):
        (ours, _), (bare, _) = medians(
            3 * setting.sizes.repeats, partial(measure, [TOOL, *arguments]), nothing
        )
        name = f"reconciler {' '.join(arguments)}"
        table.line(name, seconds(ours), seconds(bare), ours / bare)

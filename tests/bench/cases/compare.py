"""Two lists of rows to their difference, with nothing around it."""

import json
import statistics

from tests.bench.processes import measure, script
from tests.bench.setting import Setting
from tests.bench.table import seconds


def compares(setting: Setting) -> None:
    """Compare with the difference of two sets of whole lines."""
    count, table = setting.sizes.large, setting.table
    rounds = [
        json.loads(measure(script("compare", count)).output)
        for _ in range(setting.sizes.repeats)
    ]
    took = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    table.head(f"compare: {count:,} rows, 1% differ", other="sets")
    for name, ours, bare in (
        ("collect the rows of a run", "collect", "build"),
        ("find what differs, name it, digest both", "diff", "sets"),
    ):
        table.line(
            name, seconds(took[ours]), seconds(took[bare]), took[ours] / took[bare]
        )

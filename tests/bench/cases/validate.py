"""Files of predictions to what is sent, offline: how fast, and in how much memory."""

import json
import statistics
from typing import Final

from tests.bench.processes import Sample, measure, script
from tests.bench.setting import Setting
from tests.bench.table import at_least, at_most, mebibytes

WANTED: Final = 60_000
"""Predictions a second."""

FLAT: Final = 1.5
"""How much more memory ten times as many predictions may take."""


def validates(setting: Setting) -> None:
    """Compare with parsing alone, and the memory of many with that of few."""
    count, table = setting.sizes.predictions, setting.table
    table.head(f"validate: {count:,} predictions, nested", other="json.loads")
    few = [_validate(count, "with") for _ in range(setting.sizes.repeats)]
    ours, parsing = _medians(few)
    table.line(
        "with uuids",
        f"{count / ours:,.0f}/s",
        f"{count / parsing:,.0f}/s",
        parsing / ours,
        peak=few[0].mebibytes,
    )
    table.line(
        "with uuids; wanted",
        f"{count / ours:,.0f}/s",
        f"{WANTED:,}/s",
        count / ours / WANTED,
        at_least(1),
    )
    nameless, parsing = _medians([_validate(count, "without")])
    table.line(
        "without uuids, which are derived",
        f"{count / nameless:,.0f}/s",
        f"{count / parsing:,.0f}/s",
        parsing / nameless,
    )
    many = _validate(10 * count, "with")
    table.line(
        f"memory of {10 * count:,}; of {count:,}",
        mebibytes(many.mebibytes),
        mebibytes(few[0].mebibytes),
        many.mebibytes / few[0].mebibytes,
        at_most(FLAT),
    )


def _validate(count: int, uuids: str) -> Sample:
    return measure(script("validate", count, uuids))


def _medians(samples: list[Sample]) -> tuple[float, float]:
    rounds = [json.loads(one.output) for one in samples]
    return (
        statistics.median(one["prepare"] for one in rounds),
        statistics.median(one["parse"] for one in rounds),
    )

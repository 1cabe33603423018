"""Rules to splits: what a hash, a position or a word says of a row."""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from reconciler.diagnostics import Diagnostic
from reconciler.rows.problems import nearest
from reconciler.rows.spec import SplitByHash, SplitByPositions
from reconciler.state.resources import Split

HASHED: Final = (Split.TRAINING, Split.VALIDATION, Split.TEST)
"""The splits that a hash chooses from, in the order of choosing."""

_WHOLE: Final = Decimal(100)
_CENT: Final = Decimal("0.01")


def row_hash(text: str, salt: str = "") -> str:
    r"""Hash a row's group or key: 16 hex digits, the same for ever.

    They are the first of the SHA-256 of `salt + "\n" + text` in UTF-8.
    """
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:16]


def hash_bounds(
    weights: Mapping[Split, Decimal],
) -> tuple[tuple[str | None, Split], ...]:
    """Turn percents into the bounds that hashes are compared with.

    A row goes to the first split whose bound is greater than its hash, as text:
    both have 16 hex digits. None is greater than any hash.
    """
    bounds: list[tuple[str | None, Split]] = []
    cumulated = 0
    for split in HASHED:
        cumulated += int(weights.get(split, Decimal(0)) * 100)
        if cumulated >= 10_000:
            bounds.append((None, split))
            break
        bounds.append((f"{2**64 * cumulated // 10_000:016x}", split))
    return tuple(bounds)


def hashed_split(
    text: str, salt: str, bounds: tuple[tuple[str | None, Split], ...]
) -> Split:
    """Choose the split of a row by its group or key."""
    found = row_hash(text, salt)
    return next(split for bound, split in bounds if bound is None or found < bound)


def check_weights(rule: SplitByHash) -> Iterator[Diagnostic]:
    """Say what is wrong with the weights of a hash split."""
    for split, weight in rule.weights.items():
        if split not in HASHED:
            yield Diagnostic(
                "split-weights",
                f"{split} takes no weight: what no other split takes doesn't exist",
                rule.span,
            )
        # The range comes first: no remainder is found of huge numbers.
        elif not _in_range(weight) or weight % _CENT:
            yield Diagnostic(
                "split-weights",
                f"the weight of {split} is {weight}: "
                "a percentage of two decimals at most is needed",
                rule.span,
            )
    if not all(map(_in_range, rule.weights.values())):
        return
    total = sum(rule.weights.values(), Decimal(0))
    if total != _WHOLE:
        yield Diagnostic(
            "split-weights", f"the weights sum to {total}, not to 100", rule.span
        )


def _in_range(weight: Decimal) -> bool:
    # Beyond it, remainders and sums may be more than Decimal can tell.
    return weight.is_finite() and 0 <= weight <= _WHOLE


def position_ranges(rule: SplitByPositions, count: int) -> dict[Split, range]:
    """Turn slices into the positions that they select of *count* rows."""
    return {
        split: range(count)[slice(*bounds)] for split, bounds in rule.slices.items()
    }


def check_positions(rule: SplitByPositions, count: int) -> Iterator[Diagnostic]:
    """Say what is wrong with slices over a list or file of *count* rows."""
    ranges = position_ranges(rule, count)
    seen: list[Split] = []
    for split, positions in ranges.items():
        span = rule.spans.get(split)
        if any(bound is not None and bound < 0 for bound in rule.slices[split]):
            yield Diagnostic(
                "split-position",
                f"the positions of {split} count from the end",
                span,
                hint="positions count from 0: [:100], [100:150] or [150:]",
            )
            continue
        if not positions:
            rows = "1 row" if count == 1 else f"{count:,} rows"
            yield Diagnostic(
                "selects-nothing",
                f"the positions of {split} select none of the {rows}",
                span,
            )
        for other in seen:
            first = max(positions.start, ranges[other].start)
            end = min(positions.stop, ranges[other].stop)
            if first < end:
                shared = f"{first}" if end == first + 1 else f"{first} to {end - 1}"
                yield Diagnostic(
                    "row-in-two-splits",
                    f"{other} and {split} both select position {shared}",
                    span,
                    related=((rule.spans[other], "first selected here"),)
                    if other in rule.spans
                    else (),
                )
        seen.append(split)


def split_of(word: str) -> Split | None:
    """Read a split as a column spells it: as the API does, or empty."""
    return _WORDS.get(word)


def split_hint(word: str) -> str:
    """Say which split was probably meant."""
    known = ", ".join(Split)
    return nearest(word, Split) or f"use {known}, or nothing for UNASSIGNED"


_WORDS: Final = {"": Split.UNASSIGNED, **{str(split): split for split in Split}}

"""What must hold for any rows, whichever way they are kept."""

import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.rows.current import CurrentRows, collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import load_membership, make_membership
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowFile,
    RowFormat,
    SplitByColumn,
    SplitByHash,
    SplitByLists,
    SplitByPositions,
    SplitRule,
)
from reconciler.state.resources import Membership, RowIdentity, Split

ALL_PLAIN, ALL_LARGE = 10**9, 0
HERE = Span("runs.yaml", 7, 3)

names = st.text("abä9 .-\U0001f600", min_size=1, max_size=3).filter(str.strip)
splits = st.sampled_from(Split)
identities = st.sampled_from(RowIdentity)
wanted = st.dictionaries(names, splits, max_size=8)
# What a remote gives is not ours to choose: anything may stand in a key.
remote_keys = st.none() | names | st.text("a\t\n\x1f\x00'\"", max_size=3)


@st.composite
def current(draw: st.DrawFn) -> list[CurrentRow]:
    found = draw(
        st.lists(
            st.tuples(names, remote_keys, splits),
            max_size=8,
            unique_by=(
                lambda row: row[0],
                lambda row: (row[1], row[0] if row[1] is None else None),
            ),
        )
    )
    return [CurrentRow(*row) for row in found]


def apply(change: RowsChange, rows: list[CurrentRow]) -> dict[str, Split]:
    """Do to plain rows what the change says."""
    gone = {row.id for row in change.removed}
    by_key = change.by is RowIdentity.GLOBAL_KEY
    left = {
        (row.key or "" if by_key else row.id): row.split
        for row in rows
        if row.id not in gone
    }
    for (leaving, entering), moved in change.moved.items():
        for name in moved:
            assert left[name] is leaving
            left[name] = entering
    for split, added in change.added.items():
        for name in added:
            assert name not in left
            left[name] = split
    return left


@given(rows=wanted, by=identities)
def test_rows_do_not_differ_from_themselves(
    rows: Mapping[str, Split], by: RowIdentity
) -> None:
    desired = make_membership(rows, by=by)
    same = collect([[CurrentRow(n, n, split) for n, split in rows.items()]])

    change = diff_rows(desired=desired, current=same)

    assert not change
    assert change.kept == len(rows)
    assert desired.digest() == same.digest(by)


@given(rows=wanted, remote=current(), by=identities)
def test_applying_a_change_gives_what_was_desired(
    rows: Mapping[str, Split], remote: list[CurrentRow], by: RowIdentity
) -> None:
    change = diff_rows(desired=make_membership(rows, by=by), current=collect([remote]))

    assert apply(change, remote) == rows
    assert change.current_count == len(remote)


@given(rows=wanted, remote=current(), by=identities)
def test_unmanaged_splits_are_left_as_they_are(
    rows: Mapping[str, Split], remote: list[CurrentRow], by: RowIdentity
) -> None:
    desired = make_membership(rows, by=by, assigns_splits=False)

    change = diff_rows(desired=desired, current=collect([remote]))

    assert apply(change, remote).keys() == rows.keys()
    assert not change.moved
    assert change.added.keys() <= {Split.UNASSIGNED}


@settings(max_examples=60, deadline=None)
@given(rows=wanted, remote=current(), by=identities, managed=st.booleans())
def test_plain_and_large_rows_differ_alike(
    rows: Mapping[str, Split],
    remote: list[CurrentRow],
    by: RowIdentity,
    *,
    managed: bool,
) -> None:
    def desired(large: int) -> Membership:
        return make_membership(rows, by=by, assigns_splits=managed, large=large)

    def there(large: int) -> CurrentRows:
        return collect([remote], large=large)

    plain = diff_rows(desired=desired(ALL_PLAIN), current=there(ALL_PLAIN))

    # An empty side stays plain whatever is called large, and is brought over.
    assert diff_rows(desired=desired(ALL_LARGE), current=there(ALL_LARGE)) == plain
    assert diff_rows(desired=desired(ALL_LARGE), current=there(ALL_PLAIN)) == plain
    assert diff_rows(desired=desired(ALL_PLAIN), current=there(ALL_LARGE)) == plain
    assert desired(ALL_LARGE).counts() == desired(ALL_PLAIN).counts()
    assert desired(ALL_LARGE).digest() == desired(ALL_PLAIN).digest()
    assert there(ALL_LARGE).digest(by) == there(ALL_PLAIN).digest(by)
    assert sorted(there(ALL_LARGE), key=lambda row: row.id) == sorted(
        there(ALL_PLAIN), key=lambda row: row.id
    )


@given(remote=current(), by=identities, data=st.data())
def test_neither_order_nor_pages_matter_to_a_digest(
    remote: list[CurrentRow], by: RowIdentity, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(remote))
    cut = data.draw(st.integers(0, len(remote)))

    paged = collect([shuffled[:cut], [], shuffled[cut:]])

    assert paged.digest(by) == collect([remote]).digest(by)


# Mostly what is right, so that files with nothing wrong are common.
fields = st.sampled_from(
    ["a", "b", "c", "d", "e", "f", "g", "ä", "\U0001f600", "x y"] * 3
    + ["", " ", "a ", "x  y", '"q"', '"a,b"', '"a\nb"', 'a"b', "\x00", "\t", "a\u3000"]
)
words = st.sampled_from([*Split, *Split, *Split, "", "Training", "TEST ", '"TEST"'])
line_ends = st.sampled_from(["\n"] * 6 + ["\r\n", "\n\n", "\r", "\n \n"])


@st.composite
def files(draw: st.DrawFn) -> tuple[RowFormat, bytes]:
    row_format = draw(st.sampled_from([RowFormat.CSV] * 3 + [RowFormat.TEXT]))
    end = draw(line_ends)
    rows = draw(
        st.lists(st.tuples(fields, words), max_size=5, unique_by=lambda r: r[0])
    )
    if row_format is RowFormat.CSV:
        lines = [f"{name},{split}" for name, split in rows]
        lines += draw(
            st.lists(st.sampled_from(["z", "y,TEST,1", "a,TEST"]), max_size=1)
        )
        text = end.join(
            [draw(st.sampled_from(["key,split"] * 5 + ["kee,split"])), *lines]
        )
    else:
        text = end.join(name for name, _ in rows)
    text += draw(st.sampled_from([end, end, ""]))
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    tail = draw(st.sampled_from([b"", b"", b"", b"\xff"]))
    return row_format, mark + text.encode() + tail


@st.composite
def rules(draw: st.DrawFn, row_format: RowFormat) -> SplitRule | None:
    half = Decimal(50)
    weights = draw(
        st.sampled_from(
            [
                {Split.TRAINING: half, Split.TEST: half},
                {Split.TEST: Decimal(100)},
                {Split.TRAINING: half},
            ]
        )
    )
    bounds = st.none() | st.integers(0, 4)
    some: dict[Split, tuple[int | None, int | None]] = {
        Split.TRAINING: (None, draw(bounds)),
        Split.TEST: (draw(bounds), None),
    }
    listed = InlineRows(draw(st.lists(st.sampled_from("abcd"), max_size=2)), [HERE] * 2)
    listed = InlineRows(listed.names, listed.spans[: len(listed.names)])
    choices: list[SplitRule | None] = [
        None,
        SplitByHash(weights, draw(st.sampled_from(["", "v1"])), None, HERE),
        SplitByPositions(some, dict.fromkeys(some, HERE)),
        SplitByLists({Split.TEST: (listed,)}, HERE),
    ]
    if row_format is RowFormat.CSV:
        choices += [SplitByColumn("split", HERE)] * 3
        choices += [SplitByHash(weights, "", "split", HERE)]
    return draw(st.sampled_from(choices))


def outcome(
    spec: MembershipSpec, large: int
) -> tuple[int, Mapping[Split, int], str] | tuple[Diagnostic, ...]:
    try:
        found = load_membership(spec, large=large)
    except InputError as error:
        return tuple(error.diagnostics)
    return len(found), found.counts(), found.digest()


@settings(max_examples=250, deadline=None)
@given(file=files(), by=identities, data=st.data())
@example(
    file=(RowFormat.CSV, b"key,split\na,TEST\nb,\n"),
    by=RowIdentity.GLOBAL_KEY,
    data=None,
)
def test_a_file_is_read_alike_by_both_readers(
    file: tuple[RowFormat, bytes], by: RowIdentity, data: st.DataObject | None
) -> None:
    row_format, content = file
    rule = data.draw(rules(row_format)) if data else SplitByColumn("split", HERE)
    column = "key" if row_format is RowFormat.CSV else None
    with tempfile.TemporaryDirectory() as folder:
        # A path says nothing of columns, however much it looks like it.
        path = Path(folder, "c0=x", "split=TEST", "rows")
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        source = RowFile(path, "rows", row_format, column, HERE, HERE)
        spec = MembershipSpec(by, (source,), rule, HERE)

        assert outcome(spec, ALL_LARGE) == outcome(spec, ALL_PLAIN)

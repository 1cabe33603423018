"""Rows of a run, collected while they are read."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reconciler.rows.change import CurrentRow
from reconciler.rows.current import PlainCurrentRows, RepeatedRowsError, collect
from reconciler.state.resources import RowIdentity, Split

A = CurrentRow("id-a", "a", Split.TRAINING)
B = CurrentRow("id-b", None, Split.UNASSIGNED)
C = CurrentRow("id-c", "c", Split.TEST)

both = pytest.mark.parametrize("large", [100, 0], ids=["plain", "large"])


@both
def test_rows_of_all_batches_are_there(large: int) -> None:
    rows = collect([[A], [], iter([B, C])], large=large)

    assert len(rows) == 3
    assert sorted(rows) == [A, B, C]
    assert isinstance(rows, PlainCurrentRows) is (large == 100)


@both
def test_a_digest_is_the_same_for_ever(large: int) -> None:
    rows = collect([[C, B, A]], large=large)

    # printf '\tid-b\tUNASSIGNED\na\tTRAINING\nc\tTEST\n' | sha256sum
    assert rows.digest(RowIdentity.GLOBAL_KEY) == (
        "sha256:92359eba5893c3534e9810d5e3cb23b3972a38e623fe1585128d665263c3bf52"
    )
    # printf 'id-a\tTRAINING\nid-b\tUNASSIGNED\nid-c\tTEST\n' | sha256sum
    assert rows.digest(RowIdentity.DATA_ROW_ID) == (
        "sha256:143db6c6616797e1b0e963d66c73356f0cebff895fa00478a8e54207818bb0b3"
    )


@both
def test_an_id_that_comes_twice_is_refused(large: int) -> None:
    with pytest.raises(RepeatedRowsError, match="read more than once: id-a, id-b"):
        collect([[A, B], [B, A, C]], large=large)


@both
def test_a_global_key_that_comes_twice_is_refused(large: int) -> None:
    with pytest.raises(RepeatedRowsError) as caught:
        collect([[A, B, C._replace(key="a")]], large=large)

    assert caught.value.names == ("a",)


@both
def test_ten_of_the_repeated_rows_are_named(large: int) -> None:
    rows = [CurrentRow(f"id-{n:02}", None, Split.TEST) for n in range(12)]

    with pytest.raises(RepeatedRowsError) as caught:
        collect([rows, rows], large=large)

    assert caught.value.names == tuple(f"id-{n:02}" for n in range(10))


@both
def test_rows_of_many_batches_keep_strange_keys(large: int) -> None:
    strange = ["", "\x00", "\x1f", "a\x1fb", "\n", "'; DROP TABLE x; --", "\U0001f600"]
    rows = [CurrentRow(f"i{n}", key, Split.TEST) for n, key in enumerate(strange)]

    assert sorted(collect([rows], large=large)) == rows


def test_more_rows_than_a_batch_of_the_database_are_kept() -> None:
    def batches() -> Iterator[list[CurrentRow]]:
        for start in range(0, 25_000, 5_000):
            yield [
                CurrentRow(f"id-{n:05}", f"key-{n:05}", Split.VALIDATION)
                for n in range(start, start + 5_000)
            ]

    rows = collect(batches(), large=10)

    assert len(rows) == 25_000
    assert len(set(rows)) == 25_000


def test_small_rows_do_without_the_database() -> None:
    script = (
        "import sys, reconciler.rows.membership, reconciler.rows.current, "
        "reconciler.rows.diff as d\n"
        "from reconciler.state.resources import RowIdentity\n"
        "m = reconciler.rows.membership.make_membership({}, by=RowIdentity.GLOBAL_KEY)\n"
        "d.diff_rows(desired=m, current=reconciler.rows.current.collect([]))\n"
        "print('duckdb' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_nothing_is_left_behind_in_the_folder_for_temporary_files(
    tmp_path: os.PathLike[str],
) -> None:
    script = (
        "from reconciler.rows.current import collect\n"
        "from reconciler.rows.change import CurrentRow\n"
        "import os, sys\n"
        "collect([[CurrentRow('a', None, 'TEST')]], large=0)\n"
        "print(len(os.listdir(sys.argv[1])))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env={"TMPDIR": os.fspath(tmp_path)},
    )

    assert done.stdout == "1\n"
    assert os.listdir(tmp_path) == []  # noqa: PTH208

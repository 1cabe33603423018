"""Marks tell what was sent from what is wanted."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.annotations.checked import MetricKey
from reconciler.annotations.marks import (
    SIZE,
    mark,
    merged,
    metric_identity,
    pack,
    stale,
)

ONE = "a0000000-0000-4000-8000-000000000001"
TWO = "b0000000-0000-4000-8000-000000000002"
A1, A2, B1 = mark("a", ONE), mark("a", TWO), mark("b", ONE)

packs = st.lists(st.sampled_from([A1, A2, B1, mark("b", TWO)])).map(pack)


def test_a_mark_is_what_it_always_was() -> None:
    assert A1.hex() == "ca97811248ff6bd6b95b"
    assert mark("\u00e9", "").hex() == "4a99557e1583e5cdc092"


def test_marks_of_a_row_begin_alike_and_marks_of_a_uuid_do_not_end_alike() -> None:
    assert len(A1) == len(B1) == SIZE
    assert A1[:4] == A2[:4] != B1[:4]
    assert len({A1[4:], A2[4:], B1[4:]}) == 3


def test_a_metric_is_known_by_name_feature_and_subclass() -> None:
    keys = [
        MetricKey(None, None, None),
        MetricKey("m", None, None),
        MetricKey("m", "cat", None),
        MetricKey("m", "cat", "tabby"),
        MetricKey('m","cat', None, None),
    ]

    identities = [metric_identity(key) for key in keys]

    assert identities[3] == '["m","cat","tabby"]'
    assert len(set(identities)) == 5


def test_a_pack_has_each_mark_once_and_in_order() -> None:
    first, second = sorted([A1, B1])

    assert pack([B1, A1, B1]) == first + second
    assert pack([]) == b""


@given(first=packs, second=packs)
def test_uniting_packs_is_packing_their_marks(first: bytes, second: bytes) -> None:
    marks = [
        one[n : n + SIZE] for one in (first, second) for n in range(0, len(one), SIZE)
    ]

    assert merged(first, second) == pack(marks)


def test_what_is_wanted_no_more_is_stale() -> None:
    sent = pack([A1, A2, B1])

    assert stale(sent, [pack([A1]), pack([B1])], None) == 1
    assert stale(sent, [], None) == 3
    assert stale(sent, [pack([A1, A2, B1])], None) == 0
    assert stale(b"", [pack([A1])], None) == 0


def test_what_hangs_on_rows_that_left_went_with_them() -> None:
    sent = pack([A1, A2, B1])

    assert stale(sent, [pack([A1])], ["a", "c"]) == 1
    assert stale(sent, [pack([A1])], iter(["b", "a"])) == 2
    assert stale(sent, [pack([A1])], []) == 0

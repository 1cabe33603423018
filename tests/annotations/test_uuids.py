"""uuids that are made are the same ones for ever."""

import pytest

from reconciler.annotations.uuids import derived_uuid
from reconciler.state.canonical import JsonValue

RUN = ("run", "detector", "first")
BOX: JsonValue = {"name": "cat", "bbox": {"left": 2, "top": 1.5}}


@pytest.mark.parametrize(
    ("owner", "row", "feature", "content", "n", "uuid"),
    [
        (RUN, "k1", "cat", BOX, 0, "273ab410-ce41-5973-b863-d0bf399e1a2f"),
        (RUN, "k1", "cat", BOX, 1, "ce50021b-39ec-5009-b1c2-cdc6beb7dcc8"),
        (
            ("project", "streets"),
            "\u00e9/1",
            "weather",
            None,
            0,
            "ee777a94-eeba-50d6-b49c-3443b585c10b",
        ),
        ((), "", "", "", 0, "f947475f-3e22-5a9d-a7ab-0f1867b2339a"),
    ],
)
def test_a_uuid_is_what_it_always_was(
    owner: tuple[str, ...],
    row: str,
    feature: str,
    content: JsonValue,
    n: int,
    uuid: str,
) -> None:
    assert derived_uuid(owner, row, feature, content, n) == uuid


def test_everything_that_tells_annotations_apart_is_in_the_uuid() -> None:
    uuids = [
        derived_uuid(RUN, "k1", "cat", BOX, 0),
        derived_uuid(("run", "detector", "second"), "k1", "cat", BOX, 0),
        derived_uuid(RUN, "k2", "cat", BOX, 0),
        derived_uuid(RUN, "k1", "dog", BOX, 0),
        derived_uuid(RUN, "k1", "cat", None, 0),
        derived_uuid(RUN, "k1", "cat", BOX, 1),
    ]

    assert len(set(uuids)) == 6


def test_parts_do_not_run_into_each_other() -> None:
    one = derived_uuid(("run", "a"), "b", "c", None, 0)
    other = derived_uuid(("run",), "a", "b", "c", 0)

    assert one != other


def test_the_order_of_keys_has_no_say() -> None:
    turned: JsonValue = {"bbox": {"top": 1.5, "left": 2}, "name": "cat"}

    assert derived_uuid(RUN, "k1", "cat", turned, 0) == derived_uuid(
        RUN, "k1", "cat", BOX, 0
    )

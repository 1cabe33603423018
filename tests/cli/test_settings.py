"""What the environment says."""

import pytest

from reconciler.diagnostics import InputError
from reconciler.settings import ServerKey, read_settings


def test_keys_say_what_they_open() -> None:
    text = "a, b;organization=vision ,c;access=read;organization=text-2"

    assert read_settings({"RECONCILER_SERVER_API_KEYS": text}).server_keys == {
        "a": ServerKey(),
        "b": ServerKey("vision"),
        "c": ServerKey("text-2", read_only=True),
    }


def test_without_keys_there_are_none() -> None:
    assert read_settings({"RECONCILER_SERVER_API_KEYS": " "}).server_keys == {}


def test_keys_are_never_shown() -> None:
    assert "sesame" not in repr(
        read_settings({"RECONCILER_SERVER_API_KEYS": "sesame;access=read"})
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,,b", "entry 2: there is no key"),
        (";access=read", "entry 1: there is no key"),
        ("a,b,a", "entry 3: the key was there before"),
        ("a;access=write", "entry 1: access is 'write'; it takes `read`"),
        ("a;organization=", "entry 1: organization is ''"),
        ("a;organization=Vision", "entry 1: organization is 'Vision'; it takes"),
        ("a;organization=../b", "entry 1: organization is '../b'"),
        ("a;access=read;access=read", "entry 1: access is given twice"),
        ("a;colour=red", "entry 1: after the key come `organization=NAME`"),
        ("a;", "entry 1: after the key come `organization=NAME`"),
    ],
)
def test_keys_that_cant_be_used_are_told_by_their_place(
    text: str, message: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_settings({"RECONCILER_SERVER_API_KEYS": text})

    assert message in str(refused.value)
    assert "RECONCILER_SERVER_API_KEYS" in str(refused.value)

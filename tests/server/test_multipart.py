"""Requests that carry files."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.server.multipart import MAX_PARTS, read_multipart

Gql = Callable[..., Any]
Send = Callable[[bytes, bytes], Any]

UPLOAD = (
    b'{"query": "mutation U($file: Upload!) { uploadFile(file: $file,'
    b' contentLength: 1) { url } }", "variables": {"file": null}}'
)


def part(name: str, content: bytes) -> bytes:
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.fixture
def send(http: httpx.Client) -> Send:
    """Send operations and a map with one file, and get the whole body."""

    def ask(operations: bytes, places: bytes) -> Any:
        response = http.post(
            "/graphql",
            content=part("operations", operations)
            + part("map", places)
            + part("1", b"content")
            + b"--XX--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=XX"},
        )
        assert response.status_code == 200
        return response.json()

    return ask


@pytest.mark.parametrize(
    ("operations", "places"),
    [(b'{"query": "\xff"}', b"{}"), (UPLOAD, b'{"\xff": ["variables.file"]}')],
    ids=["operations", "map"],
)
def test_a_part_that_is_no_text_is_malformed(
    send: Send, operations: bytes, places: bytes
) -> None:
    (error,) = send(operations, places)["errors"]

    assert error["extensions"]["code"] == "MALFORMED_REQUEST"
    assert error["message"].startswith("operations or map is not JSON")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the request doesn't end with its boundary"),
        (part("map", b"{}"), "the request doesn't end with its boundary"),
        (b"--XX\r\n\r\n--XX--", "a part has no end of its header"),
        (part("a", b"") * (MAX_PARTS + 1) + b"--XX--", "more than 16 parts"),
        (b"--XX--", "the request has no part 'operations'"),
    ],
    ids=["empty", "cut", "headless", "many", "none"],
)
def test_a_body_that_is_cut_wrongly_is_malformed(
    http: httpx.Client, body: bytes, message: str
) -> None:
    response = http.post(
        "/graphql",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=XX"},
    )

    assert message in response.json()["errors"][0]["message"]


def test_a_file_is_read_without_copies() -> None:
    content = b"x" * 8_000_000
    body = (
        b"a preamble\r\n"
        + part("operations", UPLOAD)
        + part("map", b'{"1": ["variables.file"]}')
        + part("1", content)
        + b"--XX--\r\n"
    )

    tracemalloc.start()
    operations = read_multipart(body, "multipart/form-data; boundary=XX")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000
    assert operations["variables"]["file"].content == content


@pytest.mark.parametrize("place", ["config.weights", "name"])
def test_a_file_is_taken_only_where_one_is_asked_for(
    send: Send, model: str, place: str
) -> None:
    query = (
        "mutation R($m: ID!, $config: Json, $name: String!) { createModelRun(data: {"
        "name: $name, modelId: $m, trainingMetadata: $config}) { id } }"
    )
    variables = {"m": model, "config": {"weights": None}, "name": None}
    operations = json.dumps({"query": query, "variables": variables}).encode()

    answer = send(operations, json.dumps({"1": [f"variables.{place}"]}).encode())

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"

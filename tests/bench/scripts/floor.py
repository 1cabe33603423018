"""The least that a plan without changes could cost: its requests, and no more.

    floor.py URL KEY MODEL RUNS ROWS EXPORT_ABOVE PAGE

Asks for all that a plan of the first RUNS runs of a model, each of ROWS rows,
asks for; waits for the same exports, parses every row and throws it away.
"""

import http.client
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from reconciler.api import documents
from reconciler.api.documents import PAGE, Document, page

THREADS: Final = 8

T = TypeVar("T")


class _DataRow(msgspec.Struct):
    id: str
    global_key: str


class _Place(msgspec.Struct):
    split: str


class _Experiment(msgspec.Struct):
    runs: dict[str, _Place]


class _Line(msgspec.Struct):
    data_row: _DataRow
    experiments: dict[str, _Experiment]


class _Key(msgspec.Struct, rename="camel"):
    id: str
    global_key: str


class _Node(msgspec.Struct, rename="camel"):
    data_split: str
    data_row: _Key


class _PageInfo(msgspec.Struct, rename="camel"):
    end_cursor: str | None


class _Page(msgspec.Struct, rename="camel"):
    nodes: list[_Node]
    page_info: _PageInfo


class _Server:
    """A connection for each thread."""

    def __init__(self, url: str, key: str) -> None:
        self._host = urlsplit(url).netloc
        self._key = key
        self._own = threading.local()

    def ask(self, document: Document, **variables: object) -> Any:
        return msgspec.json.decode(self._answer(document, variables))

    def read(self, document: Document, shape: type[T], **variables: object) -> T:
        return msgspec.json.decode(self._answer(document, variables), type=shape)

    def _answer(
        self, document: Document, variables: Mapping[str, object]
    ) -> msgspec.Raw:
        asked = {"query": document.text, "variables": variables}
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
        }
        body = self._send("POST", "/graphql", msgspec.json.encode(asked), headers)
        answer = msgspec.json.decode(body, type=dict[str, dict[str, msgspec.Raw]])
        [found] = answer["data"].values()
        return found

    def fetch(self, url: str) -> bytes:
        return self._send("GET", url, None, {})

    def _send(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> bytes:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._host)
        connection: http.client.HTTPConnection = self._own.connection
        connection.request(method, url, body, headers)
        return connection.getresponse().read()


def main(
    url: str,
    key: str,
    model: str,
    *,
    runs: int,
    rows: int,
    export_above: int,
    size: int,
) -> None:
    """Do it."""
    server = _Server(url, key)
    server.ask(documents.ORGANIZATION)
    server.ask(documents.ONTOLOGIES, search="bench", first=PAGE)
    server.ask(documents.DATASETS, name="bench", deleted=False)
    server.ask(documents.MODELS, name="bench")
    ids = _runs(server, model)[:runs]
    user: str = server.ask(documents.USER)["id"]

    def read(run: str) -> int:
        if rows > export_above:
            return _export(server, user, run)
        return _pages(server, run, size)

    with ThreadPoolExecutor(THREADS) as pool:
        counts = [*pool.map(read, ids)]
    assert counts == [rows] * runs, counts


def _runs(server: _Server, model: str) -> list[str]:
    ids: list[str] = []
    number = 0
    while True:
        found = server.ask(page(documents.MODEL_RUNS, number), id=model)["modelRuns"]
        ids += [run["id"] for run in found]
        number += 1
        if len(found) < PAGE:
            return ids


def _pages(server: _Server, run: str, size: int) -> int:
    count = 0
    cursor = None
    while True:
        asked = {"modelRunId": run, "from": cursor, "first": size}
        found = server.read(documents.RUN_ROWS, _Page, **asked)
        count += len(found.nodes)
        cursor = found.page_info.end_cursor
        if not cursor:
            return count


def _export(server: _Server, user: str, run: str) -> int:
    task = server.ask(
        documents.EXPORT_RUN,
        input={
            "filters": {"modelRunId": run},
            "isStreamableReady": True,
            "streamable": True,
            "params": {"includeModelRunDetails": True},
        },
    )["taskId"]
    while _status(server, user, task) != "COMPLETE":
        time.sleep(0.05)
    where = {"id": task}
    server.ask(documents.EXPORT_HEADER, where=where, streamType="ERRORS")
    header = server.ask(documents.EXPORT_HEADER, where=where, streamType="RESULT")
    size = header["exportMetadataHeader"]["totalSize"]
    decoder = msgspec.json.Decoder(_Line)

    def piece(offset: int) -> tuple[bytes, int]:
        found = server.ask(
            documents.EXPORT_FILE, where=where, streamType="RESULT", offset=str(offset)
        )["exportFileFromOffset"]
        return server.fetch(found["file"]), found["offsets"]["end"] + 1

    # As the plan does: a piece is fetched while the one before it is parsed.
    count = 0
    with ThreadPoolExecutor(1) as ahead:
        content, offset = piece(0)
        while offset < size:
            coming = ahead.submit(piece, offset)
            count += len(decoder.decode_lines(content))
            content, offset = coming.result()
        count += len(decoder.decode_lines(content))
    return count


def _status(server: _Server, user: str, task: str) -> Any:
    found = server.ask(documents.TASK, userId=user, taskId=task)
    return found["createdTasks"][0]["status"]


if __name__ == "__main__":
    url, key, model, *numbers = sys.argv[1:]
    runs, rows, export_above, size = map(int, numbers)
    main(url, key, model, runs=runs, rows=rows, export_above=export_above, size=size)

"""Exports of prepared pieces."""

import json
from typing import Any

import httpx

from reconciler.api import documents
from tests.remote.said import task
from tests.remote.wire import Wire

STARTS = (
    documents.EXPORT_RUN,
    documents.EXPORT_PROJECT,
    documents.EXPORT_CATALOG,
)


def lines(*told: Any) -> bytes:
    """Write the lines of an export."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)


def exporting(
    wire: Wire, *chunks: bytes, lines: int | None = None, size: int | None = None
) -> None:
    """Prepare an export in pieces; *lines* and *size* are what its header says."""
    content = b"".join(chunks)
    wire.on(documents.USER, {"user": {"id": "u1"}})
    for document in STARTS:
        wire.on(document, {document.root: {"taskId": "t1"}})
    wire.on(documents.TASK, task("IN_PROGRESS"), task("COMPLETE"))
    total = content.count(b"\n") if lines is None else lines

    def header(given: dict[str, Any]) -> dict[str, Any]:
        there = given["streamType"] == "RESULT" and content
        told = {"totalSize": size or len(content), "totalLines": total}
        return {"task": {"exportMetadataHeader": told if there else None}}

    def piece(given: dict[str, Any]) -> dict[str, Any]:
        start = 0
        for n, chunk in enumerate(chunks):
            if start == int(given["offset"]):
                offsets = {"start": start, "end": start + len(chunk) - 1}
                file = {"offsets": offsets, "file": f"https://f.test/{n}"}
                return {"task": {"exportFileFromOffset": file}}
            start += len(chunk)
        return {"task": {"exportFileFromOffset": None}}

    wire.on(documents.EXPORT_HEADER, header)
    wire.on(documents.EXPORT_FILE, piece)
    wire.files = {
        f"https://f.test/{n}": httpx.Response(200, content=chunk)
        for n, chunk in enumerate(chunks)
    }

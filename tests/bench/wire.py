"""The API by hand: what fills a server before anything is measured."""

import http.client
import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from reconciler.api import documents
from reconciler.api.documents import Document

_BOUNDARY: Final = "bench-boundary"


class Api:
    """A connection to a server, for one thread."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._key = key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def ask(self, document: Document, **variables: object) -> Any:
        """Send a document, and give what its answer says first."""
        asked = {"query": document.text, "variables": variables}
        return self._post(document, json.dumps(asked).encode(), "application/json")

    def upload(self, content: bytes) -> str:
        """Send a file, and give its URL."""
        operations = {
            "query": documents.UPLOAD_FILE.text,
            "variables": {"file": None, "contentLength": len(content), "sign": False},
        }
        parts = {
            'name="operations"': json.dumps(operations).encode(),
            'name="map"': b'{"1": ["variables.file"]}',
            'name="1"; filename="bench.json"': content,
        }
        body = b"".join(
            f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + part
            + b"\r\n"
            for head, part in parts.items()
        )
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        body += f"--{_BOUNDARY}--\r\n".encode()
        return str(self._post(documents.UPLOAD_FILE, body, kind)["url"])

    def finish(
        self,
        document: Document,
        task: Callable[[Any], Any] = lambda answer: answer,
        **variables: object,
    ) -> None:
        """Ask about a task until it is over, and stop everything if it failed."""
        while (found := task(self.ask(document, **variables)))["status"] != "COMPLETE":
            if found["status"] == "FAILED":
                sys.exit(f"{document.root}: {found}")
            time.sleep(0.05)

    def _post(self, document: Document, body: bytes, kind: str) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": kind}
        self._connection.request("POST", "/graphql", body, headers)
        answer = json.loads(self._connection.getresponse().read())
        if answer.get("errors"):
            sys.exit(f"{document.root}: {answer['errors']}")
        [found] = answer["data"].values()
        return found

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
        return self.say(document.text, **variables)

    def say(self, text: str, **variables: object) -> Any:
        """Send the text of a document, and give what its answer says first."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        return self._post(text, body, "application/json")

    def upload(self, content: bytes) -> str:
        """Send a file, and give its URL."""
        answer = self.send(
            documents.UPLOAD_FILE.text, content, contentLength=len(content), sign=False
        )
        return str(answer["url"])

    def send(self, text: str, content: bytes, **variables: object) -> Any:
        """Send a document with a file, `$file`; gives what its answer says first."""
        operations = {"query": text, "variables": {"file": None, **variables}}
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
        return self._post(text, body, kind)

    def get(self, url: str) -> int:
        """Read what is at a URL of the server; gives its length in bytes."""
        parts = urlsplit(url)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        answer = self._connection.getresponse()
        length = 0
        while piece := answer.read(1 << 20):
            length += len(piece)
        return length

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

    def _post(self, text: str, body: bytes, kind: str) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": kind}
        self._connection.request("POST", "/graphql", body, headers)
        answer = json.loads(self._connection.getresponse().read())
        if answer.get("errors"):
            sys.exit(f"{text.split('{', 1)[0].strip()}: {answer['errors']}")
        [found] = answer["data"].values()
        return found

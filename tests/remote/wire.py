"""A remote of prepared answers, and a clock that only moves when told."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from reconciler.api.documents import Document
from reconciler.remote.connection import ApiKey, ConnectionSettings
from reconciler.remote.graphql import GraphQLClient
from reconciler.remote.labelbox import Labelbox
from reconciler.remote.session import Bounds
from reconciler.remote.timing import Timing

KEY = "lb-secret-0123456789"
ENDPOINT = "https://api.example.test/graphql"
PUBLIC = "93.184.215.14"

Said: TypeAlias = "dict[str, Any] | httpx.Response | Exception"
Answer: TypeAlias = "Said | Callable[[dict[str, Any]], Said]"


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    time: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def timing(self) -> Timing:
        return Timing(
            monotonic=lambda: self.time,
            sleep=self.sleep,
            now=lambda: self.time,
            jitter=lambda: 0.0,
        )


@dataclass
class Wire:
    """What a remote answers to each document: in turn, the last for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    files: dict[str, httpx.Response] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    addresses: dict[str, list[str]] = field(default_factory=dict)

    def on(self, document: Document, *answers: Answer) -> None:
        self.answers[document.name] = list(answers)

    def count(self, document: Document) -> int:
        return sum(name == document.name for name, _ in self.asked)

    def variables(self, document: Document) -> list[dict[str, Any]]:
        return [given for name, given in self.asked if name == document.name]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "GET":
            if (file := self.files.get(str(request.url))) is None:
                raise httpx.ConnectError("nobody listens")
            # As the network has it: not read beforehand.
            return httpx.Response(
                file.status_code, headers=file.headers, content=iter([file.content])
            )
        body = request.read()
        found = re.search(rb'"query":"(?:query|mutation) (\w+)', body)
        assert found
        name = found[1].decode()
        parts = re.search(rb'name="operations"\r\n\r\n(.*?)\r\n--', body)
        given = json.loads(parts[1] if parts else body)["variables"] or {}
        self.asked.append((name, given))
        prepared = self.answers[name]
        answer = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        return _said(answer(given) if callable(answer) else answer)

    def client(
        self,
        *,
        read_only: bool = False,
        key: str = KEY,
        endpoint: str = ENDPOINT,
        requests_per_minute: int | None = None,
    ) -> GraphQLClient:
        return GraphQLClient(
            ConnectionSettings(
                endpoint=endpoint,
                api_key=ApiKey(key),
                requests_per_minute=requests_per_minute,
            ),
            read_only=read_only,
            transport=httpx.MockTransport(self.handle),
            outside=httpx.MockTransport(self.handle),
            resolve=lambda host: self.addresses.get(host, [PUBLIC]),
            timing=self.clock.timing,
        )

    def labelbox(self, bounds: Bounds | None = None) -> Labelbox:
        return Labelbox(self.client(), bounds)


def sent_files(wire: Wire) -> list[bytes]:
    """Take the files out of the uploads, in the order of their arrival."""
    return [
        request.content.split(b"\r\n\r\n", 3)[3].rsplit(b"\r\n--", 1)[0]
        for request in wire.requests
        if b"form-data" in request.content
    ]


def refusal(message: str, code: str = "BAD_USER_INPUT") -> httpx.Response:
    problem = {"message": message, "extensions": {"code": code}}
    return httpx.Response(200, json={"errors": [problem], "data": None})


def _said(answer: Said) -> httpx.Response:
    match answer:
        case Exception():
            raise answer
        case httpx.Response():
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        case _:
            return httpx.Response(200, json={"data": answer})

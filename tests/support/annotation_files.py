"""Files of annotations, sent to a twin and read back."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from reconciler.annotations.together import refuse_together
from reconciler.server.importing import annotations as importing
from reconciler.server.store.database import Store

ONTOLOGY: Mapping[str, Any] = {
    "tools": [
        {
            "tool": "rectangle",
            "name": "cat",
            "classifications": [
                {
                    "type": "radio",
                    "name": "breed",
                    "instructions": "breed",
                    "options": [{"value": "tabby", "label": "tabby"}],
                }
            ],
        },
        {"tool": "edge", "name": "near"},
    ],
    "classifications": [
        {
            "type": "radio",
            "name": "weather",
            "instructions": "weather",
            "options": [{"value": "sun", "label": "sun"}],
        }
    ],
}
"""Cats of a breed, some of them near to each other, and the weather."""

FIELDS = "id name state progress inputFileUrl statusFileUrl errorFileUrl errorMessage"

PARENTS = {
    "createModelErrorAnalysisPredictionImport": "modelRunId",
    "createLabelImport": "projectId",
    "createModelAssistedLabelingPredictionImport": "projectId",
}


def box(key: str, uuid: int | None = None, **more: Any) -> dict[str, Any]:
    """Draw a cat on a data row."""
    named = {} if uuid is None else {"uuid": uuid_of(uuid)}
    return {
        **named,
        "dataRow": {"globalKey": key},
        "name": "cat",
        "bbox": {"top": 1.0, "left": 2.0, "height": 3.0, "width": 4.0},
        **more,
    }


def metric(key: str, value: float = 0.5, name: str = "score") -> dict[str, Any]:
    """Measure a data row."""
    return {"dataRow": {"globalKey": key}, "metricName": name, "metricValue": value}


def uuid_of(number: int) -> str:
    """Make a uuid that can be told from others."""
    return f"00000000-0000-4000-8000-{number:012}"


def ndjson(*rows: Mapping[str, Any] | str) -> bytes:
    """Write rows as lines; a text is a line already."""
    lines = (one if isinstance(one, str) else json.dumps(one) for one in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def send(
    http: httpx.Client,
    mutation: str,
    parent: str,
    content: bytes,
    *,
    name: str = "import",
) -> dict[str, Any]:
    """Upload a file as the SDK does, and get the whole body of the answer."""
    owner = PARENTS[mutation]
    query = (
        f"mutation M($parent: ID!, $name: String!, $file: Upload!, $length: Int!)"
        f" {{ {mutation}(data: {{ {owner}: $parent name: $name"
        f" filePayload: {{ file: $file, contentLength: $length }} }})"
        f" {{ {FIELDS} }} }}"
    )
    variables = {"file": None, "length": 1, "parent": parent, "name": name}
    part = f"{parent}__{name}.ndjson"
    response = http.post(
        "/graphql",
        data={
            "operations": json.dumps({"variables": variables, "query": query}),
            "map": json.dumps({part: ["variables.file"]}),
        },
        files={part: (part, content, "application/x-ndjson")},
    )
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def statuses(http: httpx.Client, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read what came of each line."""
    return read_lines(http, job["statusFileUrl"])


def errors(http: httpx.Client, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read what is said of the lines that weren't imported."""
    return read_lines(http, job["errorFileUrl"])


def read_lines(http: httpx.Client, url: str) -> list[dict[str, Any]]:
    """Read a file of lines, none of which may be blank."""
    return [json.loads(line) for line in http.get(url).content.split(b"\n")[:-1]]


def said(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sum statuses up: SUCCESS, or the names of the problems."""
    return [
        ", ".join(problem["name"] for problem in one["errors"]) or one["status"]
        for one in found
    ]


def meanwhile(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Connection], object],
) -> list[bool]:
    """Let something happen once, after lines were judged and before they are kept."""
    done: list[bool] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        judged = refuse_together(*given, **named)
        if not done:
            with store.write() as db:
                happens(db)
            done.append(True)
        return judged

    monkeypatch.setattr(importing, "refuse_together", interrupted)
    return done

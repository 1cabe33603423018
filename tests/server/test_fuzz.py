"""No request of any kind is answered by a 5xx, nor by a bug."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import api
from reconciler.server.app import make_app
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import open_store
from tests.server.test_web import ready, start

SCHEMA = build_schema(api.SCHEMA)
ROUNDS = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
A_FEW = settings(ROUNDS, max_examples=12)
ROOTS = [
    (kind, name)
    for kind, type_ in (
        ("query", SCHEMA.query_type),
        ("mutation", SCHEMA.mutation_type),
    )
    if type_ is not None
    for name in sorted(type_.fields)
]
NO_BUG = {
    "AUTHENTICATION_ERROR",
    "AUTHORIZATION_ERROR",
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "MALFORMED_REQUEST",
    "OPERATION_NOT_ALLOWED",
    "RESOURCE_CONFLICT",
    "RESOURCE_NOT_FOUND",
}
FOUNDATION = """
mutation {
  createDataset(data: {name: "s"}) { id }
  upsertOntology(data: {name: "o", normalized: "{}"}) { id }
}
"""

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
anything = st.recursive(
    odd,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    max_leaves=6,
)
texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", "a", "0", "2030-01-01T00:00:00Z", "{}", "[]", '{"tools": [{}]}', "\x00"]
    ),
)


class Ids:
    """Ids that mean something, for the requests that ask for one."""

    def __init__(self) -> None:
        self.known: list[str] = ["a"]

    def __repr__(self) -> str:
        return f"Ids({len(self.known)})"


@pytest.fixture(scope="module")
def ids() -> Ids:
    return Ids()


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, ids: Ids) -> Iterator[httpx.Client]:
    path = tmp_path_factory.mktemp("fuzz") / "store.db"
    choices = ServerSettings(
        fetch_urls=False, limits=Limits(request_bytes=100_000, file_bytes=10_000)
    )
    with open_store(path) as store:
        app = make_app(store, choices, frozenset({"sesame"}))
        with httpx.Client(
            transport=httpx.WSGITransport(app=app),
            base_url="http://twin.test",
            headers={"Authorization": "Bearer sesame"},
        ) as client:
            made = client.post("/graphql", json={"query": FOUNDATION}).json()["data"]
            ids.known += [one["id"] for one in made.values()]
            model = client.post(
                "/graphql",
                json={
                    "query": "mutation { createModel(data: {name: "
                    f'"m", ontologyId: "{ids.known[-1]}"}}) {{ id }} }}'
                },
            ).json()["data"]["createModel"]["id"]
            run = client.post(
                "/graphql",
                json={
                    "query": "mutation { createModelRun(data: {name: "
                    f'"r", modelId: "{model}"}}) {{ id }} }}'
                },
            ).json()["data"]["createModelRun"]["id"]
            ids.known += [model, run]
            yield client


def check(response: httpx.Response) -> None:
    """An answer has data, or errors whose every code says whose fault it is."""
    assert response.status_code == 200
    body = response.json()
    if "errors" in body:
        assert body["data"] is None
        assert body["errors"]
        for error in body["errors"]:
            extensions = error["extensions"]
            status = extensions.get("exception", {}).get("status")
            assert extensions["code"] in NO_BUG or status == 422, body
    else:
        assert isinstance(body["data"], dict)


def value(draw: Callable[..., Any], type_: GraphQLInputType, ids: Ids) -> Any:
    """Draw a value of a type of the schema."""
    if isinstance(type_, GraphQLNonNull):
        return value(draw, type_.of_type, ids)
    if isinstance(type_, GraphQLList):
        count = draw(st.integers(0, 2))
        return [value(draw, type_.of_type, ids) for _ in range(count)]
    if isinstance(type_, GraphQLEnumType):
        return draw(st.sampled_from(list(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: value(draw, one.type, ids)
            for name, one in type_.fields.items()
            if name != "AND"
            and (isinstance(one.type, GraphQLNonNull) or draw(st.booleans()))
        }
    match get_named_type(type_).name:
        case "ID":
            return draw(st.one_of(st.sampled_from(ids.known), texts))
        case "Int" | "PageSize":
            return draw(st.sampled_from([0, 1, 100, -1, 10_001, 2**31 - 1]))
        case "Float":
            return draw(st.sampled_from([0.0, 0.5, -1.0, 1e300]))
        case "Boolean":
            return draw(st.booleans())
        case "UInt64":
            return draw(st.sampled_from(["0", "1", "18446744073709551615", "-1"]))
        case "Json":
            return draw(anything)
        case _:
            return draw(texts)


class Writer:
    """Writes a document by the schema, with its values as variables."""

    def __init__(self, draw: Callable[..., Any], ids: Ids) -> None:
        self.draw = draw
        self.ids = ids
        self.declared: list[str] = []
        self.variables: dict[str, Any] = {}

    def selection(self, type_: Any, depth: int) -> str:
        """Write what is selected of a type; empty for a leaf."""
        inner = get_named_type(type_)
        if isinstance(inner, GraphQLUnionType):
            return " { __typename }"
        if not isinstance(inner, GraphQLObjectType):
            return ""
        names = [
            name
            for name, one in inner.fields.items()
            if depth or not isinstance(get_named_type(one.type), GraphQLObjectType)
        ]
        chosen = self.draw(
            st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)
            if names
            else st.just(["__typename"])
        )
        parts = [
            name if name == "__typename" else self.field(inner, name, depth - 1)
            for name in chosen
        ]
        return " { " + " ".join(parts) + " }"

    def field(self, owner: GraphQLObjectType, name: str, depth: int) -> str:
        """Write a field with its arguments."""
        defined = owner.fields[name]
        arguments = [
            f"{key}: {self.variable(argument)}"
            for key, argument in defined.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self.draw(st.booleans())
        ]
        given = f"({', '.join(arguments)})" if arguments else ""
        alias = f"a{len(self.declared)}: " if self.draw(st.booleans()) else ""
        return f"{alias}{name}{given}{self.selection(defined.type, max(depth, 0))}"

    def variable(self, argument: GraphQLArgument) -> str:
        """Declare a variable for an argument, and give it a value."""
        name = f"v{len(self.declared)}"
        self.declared.append(f"${name}: {argument.type}")
        broken = self.draw(st.integers(0, 9)) == 0
        self.variables[name] = (
            self.draw(anything) if broken else value(self.draw, argument.type, self.ids)
        )
        return f"${name}"


def written(draw: Callable[..., Any], kind: str, name: str, ids: Ids) -> dict[str, Any]:
    """Draw a request for a field by the schema."""
    root = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    assert root is not None
    writer = Writer(draw, ids)
    body = writer.field(root, name, 4)
    declared = f"({', '.join(writer.declared)})" if writer.declared else ""
    return {
        "query": f"{kind} Q{declared} {{ {body} }}",
        "variables": writer.variables,
    }


@pytest.mark.parametrize(("kind", "name"), ROOTS)
@A_FEW
@given(data=st.data())
def test_what_the_schema_allows_is_never_a_bug(
    http: httpx.Client, ids: Ids, kind: str, name: str, data: st.DataObject
) -> None:
    check(http.post("/graphql", json=written(data.draw, kind, name, ids)))


@ROUNDS
@given(data=st.data())
def test_a_document_that_was_damaged_is_never_a_bug(
    http: httpx.Client, ids: Ids, data: st.DataObject
) -> None:
    kind, name = data.draw(st.sampled_from(ROOTS))
    request = written(data.draw, kind, name, ids)
    text = request["query"]
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 6)))
    request["query"] = text[:start] + data.draw(texts) + text[stop:]

    check(http.post("/graphql", json=request))


@ROUNDS
@given(body=st.one_of(anything.map(json.dumps).map(str.encode), st.binary(max_size=60)))
def test_a_body_of_any_kind_is_never_a_bug(http: httpx.Client, body: bytes) -> None:
    check(http.post("/graphql", content=body))


@ROUNDS
@given(
    operations=st.one_of(
        anything.map(json.dumps),
        st.text(max_size=20),
        st.just('{"query": "{ organization { id } }", "variables": {"file": null}}'),
    ),
    places=st.one_of(
        anything.map(json.dumps),
        st.sampled_from(
            [
                '{"1": ["variables.file"]}',
                '{"1": ["variables.file.x"]}',
                '{"1": ["query"]}',
                '{"1": [null]}',
                '{"1": 5}',
                '{"2": ["variables.file"]}',
            ]
        ),
    ),
    content=st.binary(max_size=30),
)
def test_a_multipart_request_of_any_kind_is_never_a_bug(
    http: httpx.Client, operations: str, places: str, content: bytes
) -> None:
    check(
        http.post(
            "/graphql",
            data={"operations": operations, "map": places},
            files={"1": ("a", content)},
        )
    )


@ROUNDS
@given(
    body=st.binary(max_size=60),
    content_type=st.sampled_from(
        [
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary="x; y"',
        ]
    ),
    framed=st.booleans(),
)
def test_raw_multipart_bytes_are_never_a_bug(
    http: httpx.Client, body: bytes, content_type: str, framed: bool
) -> None:
    if framed:
        body = b"--x\r\n" + body + b"\r\n--x\r\n\r\n" + body + b"\r\n--x--"
    check(http.post("/graphql", content=body, headers={"Content-Type": content_type}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ a }\\ud800"}',
        b'{"query": "\\ud800"}',
        b'{"query": "query Q($a: ID!) { model(where: {id: $a}) { id } }",'
        b' "variables": {"a": "\\udfff"}}',
        b'{"query": "{ model(where: {id: \\"\\\\ud800\\"}) { id } }"}',
        b'{"query": "{ organization { id } }", "variables": {"\\u0000": 1e999}}',
        b'{"query": "query { datasets(first: 99999999999999999999) { id } }"}',
        b'{"query": "{ __schema { types { fields { type { fields { type { fields {'
        b' name } } } } } } } }"}',
    ],
)
def test_what_encodings_trip_over_is_never_a_bug(
    http: httpx.Client, body: bytes
) -> None:
    check(http.post("/graphql", content=body))


def test_the_real_server_takes_all_of_it_too(tmp_path: Path) -> None:
    requests: list[dict[str, Any]] = [
        {"content": b""},
        {"content": b"\xff\xfe"},
        {"content": b"[" * 50_000},
        {"json": {"query": "{ bbb }"}},
        {"json": {"query": "{" * 5_000}},
        {"json": {"query": "{ organization { id } }", "variables": {"a": [[]]}}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {
            "content": b"--x",
            "headers": {
                b"Content-Type": "multipart/form-data; boundary=\u20ac".encode()
            },
        },
        {"files": {"operations": ("o", b"{}"), "map": ("m", b"[]")}},
        {"content": iter([b'{"query": ', b'"{ organization { id } }"}'])},
    ]
    with start(tmp_path / "store.db") as process:
        url = ready(process)
        with httpx.Client(
            base_url=url, headers={"Authorization": "Bearer sesame"}, trust_env=False
        ) as client:
            answers = [client.post("/graphql", **request) for request in requests]
            others = [
                client.get("/graphql"),
                client.post("/files/x"),
                client.get("/files/%00"),
                client.get("/files/c/../../etc/passwd"),
                client.get("/%ff"),
                client.request("BREW", "/graphql"),
            ]
        process.terminate()
        _, said = process.communicate(timeout=20)

    for answer in answers:
        check(answer)
    assert all(400 <= one.status_code < 500 for one in others)
    assert said == ""

"""One request, one answer: what becomes of each kind of trouble."""

import gc
import ssl
import traceback
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.api import documents
from reconciler.ports import (
    InDoubt,
    Malformed,
    NotFound,
    RateLimited,
    RemoteError,
    Unauthorized,
    Unavailable,
)
from reconciler.remote.answers import Broken, Garbled, Unsent
from reconciler.remote.connection import ApiKey, ConnectionSettings
from reconciler.remote.errors import Refused
from reconciler.remote.graphql import GraphQLClient, ReadOnlyError, trouble
from reconciler.remote.payloads import (
    Anything,
    CreateRunData,
    OrganisationData,
    UploadData,
)
from tests.remote.wire import ENDPOINT, KEY, Wire, refusal

ORGANISATION = {"organization": {"id": "o1", "name": "Acme"}}
CREATED = {"createModelRun": {"id": "r1"}}


def read(wire: Wire) -> OrganisationData:
    return wire.client().execute(documents.ORGANIZATION, OrganisationData)


def create(wire: Wire) -> CreateRunData:
    return wire.client().execute(
        documents.CREATE_RUN, CreateRunData, name="r", config=None, modelId="m"
    )


def upload(
    client: GraphQLClient,
    content: bytes = b"x",
    name: str = "x",
    media_type: str = "text/plain",
) -> UploadData:
    return client.upload(
        documents.UPLOAD_FILE,
        UploadData,
        content,
        file_name=name,
        media_type=media_type,
        sign=False,
    )


def change(wire: Wire) -> Anything:
    return wire.client().execute(documents.RESET_CONFIG, Anything, modelRunId="r")


def test_a_request_is_what_the_api_is_known_to_take() -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, ORGANISATION)

    assert read(wire).organization.name == "Acme"

    (request,) = wire.requests
    assert str(request.url) == ENDPOINT
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.headers["x-user-agent"].startswith("reconciler ")
    assert request.content == (
        b'{"query":"query GetOrganization { organization { id name } }",'
        b'"variables":null}'
    )


def test_what_may_still_change_is_asked_at_its_own_path() -> None:
    wire = Wire()
    wire.on(documents.ASSIGN_SPLITS, {})

    wire.client().execute(documents.ASSIGN_SPLITS, Anything)

    assert str(wire.requests[0].url) == "https://api.example.test/_gql"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/graphql"),
        ("https://example.test/a/graphql", "https://example.test/a/graphql"),
    ],
)
def test_a_bare_host_gets_the_path_of_the_api(endpoint: str, url: str) -> None:
    assert ConnectionSettings(endpoint=endpoint, api_key=ApiKey("k")).url == url


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://graphql.test", "https://graphql.test/_gql"),
        ("https://graphql.test/graphql", "https://graphql.test/_gql"),
        ("https://h.test/graphql/v1/graphql", "https://h.test/graphql/v1/_gql"),
        ("https://h.test/graphql/v1", "https://h.test/graphql/v1"),
        ("https://h.test/mygraphql", "https://h.test/mygraphql"),
    ],
)
def test_the_path_of_what_may_still_change_differs_in_its_last_part_only(
    endpoint: str, url: str
) -> None:
    settings = ConnectionSettings(endpoint=endpoint, api_key=ApiKey("k"))

    assert settings.experimental_url == url


ENDPOINTS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    st.lists(
        st.sampled_from(["graphql", "_gql", "api", "example"]), min_size=1, max_size=4
    ).map(".".join)
    | st.sampled_from(["127.0.0.1", "[::1]", "b\u00fccher.test"]),
    st.just("") | st.integers(1, 65_535).map(":{}".format),
    st.lists(st.sampled_from(["/", "/graphql", "/v1", "/graphql.test"])).map("".join),
)
ODDITIES = st.builds(
    "{}{}{}".format, ENDPOINTS, st.sampled_from([*"@?#\\:/\t "]), st.text(max_size=5)
)


@settings(deadline=None)  # a loaded machine is no failure
@given(ENDPOINTS | ODDITIES | st.text(max_size=20).map("https://{}".format))
def test_the_key_goes_to_the_endpoints_host_and_port_and_nowhere_else(
    endpoint: str,
) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, ORGANISATION)
    wire.on(documents.ASSIGN_SPLITS, {})
    wire.on(documents.UPLOAD_FILE, {"uploadFile": {"url": "u"}})
    try:
        client = wire.client(endpoint=endpoint)
        client.execute(documents.ORGANIZATION, Anything)
        client.execute(documents.ASSIGN_SPLITS, Anything)
        upload(client)
    except (Unauthorized, Unavailable):
        assert wire.requests == []
        return

    there = urlsplit(endpoint)
    port = there.port or {"http": 80, "https": 443}[there.scheme]
    assert len(wire.requests) == 3
    for request in wire.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.url.scheme == there.scheme
        assert request.url.host == (there.hostname or "")
        assert (request.url.port or port) == port
        assert not request.url.userinfo


@given(ENDPOINTS)
def test_every_plain_endpoint_is_taken(endpoint: str) -> None:
    ConnectionSettings(endpoint=endpoint, api_key=ApiKey("k"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://s3cr3t@api.test/graphql",
        "https://user:s3cr3t@api.test",
        "https://api.test/graphql?key=s3cr3t",
        "https://api.test?s3cr3t",
        "https://api.test/graphql#s3cr3t",
        "https://api.test\\.s3cr3t/graphql",
        "https://api.test/s3cr3t\n",
        "ftp://s3cr3t/graphql",
        "api.test/s3cr3t",
        "https:///s3cr3t",
        "https://[s3cr3t/graphql",
        "https://api.test:s3cr3t/graphql",
    ],
)
def test_an_endpoint_that_is_no_plain_address_is_refused_unrepeated(
    endpoint: str,
) -> None:
    with pytest.raises(Unauthorized, match="the endpoint is no http") as caught:
        ConnectionSettings(endpoint=endpoint, api_key=ApiKey(KEY))

    assert "s3cr3t" not in f"{caught.value!r} {caught.value.hint}"
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_file_goes_as_three_parts_with_its_true_length() -> None:
    wire = Wire()
    wire.on(documents.UPLOAD_FILE, {"uploadFile": {"url": "https://f.test/1"}})

    found = upload(wire.client(), b"\x89PNG", "a.png", "image/png")

    assert found.upload_file.url == "https://f.test/1"
    header = Message()
    header["content-type"] = wire.requests[0].headers["content-type"]
    boundary = str(header.get_param("boundary")).encode()
    _, operations, mapping, file, _ = wire.requests[0].content.split(b"--" + boundary)
    assert operations.startswith(
        b'\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
        b'{"variables":{"file":null,"contentLength":4,"sign":false},"query":"mutation'
    )
    assert mapping == (
        b'\r\nContent-Disposition: form-data; name="map"\r\n\r\n'
        b'{"1": ["variables.file"]}\r\n'
    )
    assert file == (
        b'\r\nContent-Disposition: form-data; name="1"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n"
    )


def test_files_are_fetched_without_the_key_even_after_a_redirect() -> None:
    wire = Wire()
    wire.files = {
        "https://files.test/a": httpx.Response(
            302, headers={"location": "https://api.example.test/b"}
        ),
        "https://api.example.test/b": httpx.Response(200, content=b"lines"),
    }

    assert wire.client().download("https://files.test/a") == b"lines"

    assert [request.url.path for request in wire.requests] == ["/a", "/b"]
    assert all(KEY not in repr(request.headers.raw) for request in wire.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["https://evil.test/graphql", "//evil.test", "/login"])
def test_a_redirect_of_the_api_is_not_followed(status: int, to: str) -> None:
    wire = Wire()
    elsewhere = httpx.Response(status, headers={"location": to})
    wire.on(documents.ORGANIZATION, elsewhere)
    wire.on(documents.UPLOAD_FILE, elsewhere)

    with pytest.raises(Refused, match="redirect") as caught:
        read(wire)
    with pytest.raises(Refused, match="redirect"):
        upload(wire.client())

    assert caught.value.hint == "check LABELBOX_ENDPOINT"
    assert [str(request.url) for request in wire.requests] == [ENDPOINT, ENDPOINT]


def test_cookies_of_the_api_do_not_follow_to_its_files() -> None:
    wire = Wire()
    wire.on(
        documents.ORGANIZATION,
        httpx.Response(
            200,
            headers={"set-cookie": "session=s3cr3t; Domain=example.test"},
            json={"data": ORGANISATION},
        ),
    )
    wire.files = {"https://files.example.test/a": httpx.Response(200)}
    client = wire.client()

    client.execute(documents.ORGANIZATION, OrganisationData)
    client.download("https://files.example.test/a")

    assert "cookie" not in wire.requests[1].headers


@pytest.mark.parametrize(
    "url", ["https:/files?sig=s3cr3t", "/a?sig=s3cr3t", "https://[f?sig=s3cr3t"]
)
def test_a_file_of_no_address_is_told_without_what_signs_it(url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        Wire().client().download(url)

    assert "s3cr3t" not in str(caught.value)


def test_a_file_that_is_gone_is_told_without_its_signed_address() -> None:
    wire = Wire()
    wire.files = {"https://files.test/a?sig=s3cr3t": httpx.Response(403)}

    with pytest.raises(Refused) as caught:
        wire.client().download("https://files.test/a?sig=s3cr3t")

    assert str(caught.value) == "download: 403 Forbidden"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (refusal("who?", "AUTHENTICATION_ERROR"), Unauthorized, "who?"),
        (refusal("not you", "AUTHORIZATION_ERROR"), Unauthorized, "not you"),
        (httpx.Response(401, json={"message": "no key"}), Unauthorized, "no key"),
        (
            httpx.Response(403, text="<h1>no</h1>"),
            Unauthorized,
            "403 Forbidden: <h1>no",
        ),
        (refusal("gone", "RESOURCE_NOT_FOUND"), NotFound, "gone"),
        (refusal("taken", "RESOURCE_CONFLICT"), Refused, "taken"),
        (refusal("odd", "GRAPHQL_VALIDATION_FAILED"), Refused, "odd"),
        (httpx.Response(404, text="nothing here"), Refused, "404 Not Found: nothing"),
        (httpx.Response(413, json={"message": "big"}), Refused, "big"),
        (httpx.Response(200, text="<html>\n hi"), Malformed, "not JSON: <html> hi"),
        (httpx.Response(200, json={}), Malformed, "has no data"),
        (httpx.Response(204), Malformed, "204 No Content"),
        ({"organization": {"id": 1, "name": "x"}}, Malformed, "organization.id"),
        ({}, Malformed, "organization"),
    ],
)
def test_an_answer_that_is_final_is_told_in_the_remotes_words(
    answer: httpx.Response, error: type[RemoteError], said: str
) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, answer)

    with pytest.raises(error) as caught:
        read(wire)

    assert type(caught.value) is error
    assert said in caught.value.reason
    assert caught.value.operation == "organization"
    assert len(wire.requests) == 1


def test_whoever_may_not_is_told_what_keys_do() -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, refusal("no", "AUTHENTICATION_ERROR"))

    with pytest.raises(Unauthorized) as caught:
        read(wire)

    assert caught.value.hint
    assert "LABELBOX_API_KEY" in caught.value.hint
    assert "six months" in caught.value.hint


@pytest.mark.parametrize("name", ["x-request-id", "X-Cloud-Trace-Context", "CF-Ray"])
def test_an_error_names_the_request(name: str) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, httpx.Response(404, headers={name: "7f-1"}))

    with pytest.raises(Refused) as caught:
        read(wire)

    assert str(caught.value) == "organization: 404 Not Found (request 7f-1)"


BROKEN = [
    pytest.param(httpx.Response(502, text="bad gateway"), id="502"),
    pytest.param(httpx.Response(503, headers={"retry-after": "3"}), id="503"),
    pytest.param(httpx.ReadTimeout("slow"), id="read timeout"),
    pytest.param(httpx.WriteTimeout("slow"), id="write timeout"),
    pytest.param(httpx.ReadError("reset"), id="reset"),
    pytest.param(httpx.RemoteProtocolError("closed"), id="closed"),
    pytest.param(refusal("oops", "INTERNAL_SERVER_ERROR"), id="internal"),
]


@pytest.mark.parametrize("trouble", BROKEN)
def test_a_read_is_sent_again_after(trouble: httpx.Response | Exception) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, trouble, trouble, ORGANISATION)

    assert read(wire).organization.id == "o1"

    assert len(wire.requests) == 3
    assert len(wire.clock.slept) == 2


@pytest.mark.parametrize("trouble", BROKEN)
def test_an_idempotent_change_is_sent_again_after(
    trouble: httpx.Response | Exception,
) -> None:
    wire = Wire()
    wire.on(documents.RESET_CONFIG, trouble, {})

    change(wire)

    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        *BROKEN,
        pytest.param(httpx.Response(200, text="nonsense"), id="not JSON"),
        pytest.param(httpx.Response(200, json={}), id="no data"),
        pytest.param({"createModelRun": None}, id="null"),
    ],
)
def test_a_create_is_never_sent_again_in_doubt(
    trouble: httpx.Response | Exception,
) -> None:
    wire = Wire()
    wire.on(documents.CREATE_RUN, trouble, CREATED)

    with pytest.raises(InDoubt) as caught:
        create(wire)

    assert caught.value.operation == "createModelRun"
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(httpx.ConnectError("refused"), id="refused"),
        pytest.param(httpx.ConnectTimeout("slow"), id="connect timeout"),
        pytest.param(httpx.PoolTimeout("busy"), id="busy"),
        pytest.param(httpx.ProxyError("407"), id="proxy"),
        pytest.param(httpx.Response(429, text="<h1>slow down"), id="429 HTML"),
        pytest.param(
            httpx.Response(429, json={"message": "You have exceeded it"}), id="429 JSON"
        ),
        pytest.param(
            httpx.Response(200, json={"message": "You have exceeded it"}), id="200 JSON"
        ),
    ],
)
def test_a_create_is_sent_again_when_it_was_not_carried_out(
    trouble: httpx.Response | Exception,
) -> None:
    wire = Wire()
    wire.on(documents.CREATE_RUN, trouble, CREATED)

    assert create(wire).create_model_run.id == "r1"

    assert len(wire.requests) == 2


def test_server_errors_end_as_unavailable_in_the_remotes_words() -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, httpx.Response(500, json={"message": "on fire"}))

    with pytest.raises(Unavailable, match="on fire"):
        read(wire)

    assert wire.clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_change_that_never_got_an_answer_is_in_doubt() -> None:
    wire = Wire()
    wire.on(documents.RESET_CONFIG, httpx.ReadTimeout("slow"))

    with pytest.raises(InDoubt, match=r"api\.example\.test did not answer in time"):
        change(wire)


def test_a_change_stays_in_doubt_when_later_attempts_do_not_even_connect() -> None:
    wire = Wire()
    wire.on(documents.RESET_CONFIG, httpx.ReadError("reset"), httpx.ConnectError("no"))

    with pytest.raises(InDoubt):
        change(wire)


def test_a_remote_that_is_not_there_is_named() -> None:
    wire = Wire()
    wire.on(documents.CREATE_RUN, httpx.ConnectError("[Errno 111] Connection refused"))

    with pytest.raises(Unavailable) as caught:
        create(wire)

    assert caught.value.reason == (
        "api.example.test can't be reached: [Errno 111] Connection refused"
    )
    assert wire.clock.slept == [0.25, 0.5, 1.0]


def test_a_certificate_that_is_not_trusted_is_told_at_once() -> None:
    untrusted = httpx.ConnectError("certificate verify failed")
    untrusted.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    wire = Wire()
    wire.on(documents.ORGANIZATION, untrusted)

    with pytest.raises(Unavailable, match="no trusted connection") as caught:
        read(wire)

    assert caught.value.hint
    assert "SSL_CERT_FILE" in caught.value.hint
    assert len(wire.requests) == 1


def test_everybody_waits_as_long_as_the_remote_says() -> None:
    limited = httpx.Response(
        429, headers={"retry-after": "17"}, json={"message": "You have exceeded it"}
    )
    wire = Wire()
    wire.on(documents.ORGANIZATION, limited, ORGANISATION)
    began = wire.clock.time

    read(wire)

    assert wire.clock.time - began >= 17


def test_too_many_requests_for_ever_ends_in_the_remotes_words() -> None:
    wire = Wire()
    wire.on(
        documents.ORGANIZATION,
        httpx.Response(429, json={"message": "You have exceeded"}),
    )

    with pytest.raises(RateLimited, match="You have exceeded"):
        read(wire)


def all_errors_of_httpx() -> list[type[Exception]]:
    found = [getattr(httpx, name) for name in httpx.__all__]
    return [
        each for each in found if isinstance(each, type) and issubclass(each, Exception)
    ]


def error_of(kind: type[Exception]) -> Exception:
    request = httpx.Request("POST", ENDPOINT)
    if kind is httpx.HTTPStatusError:
        return httpx.HTTPStatusError(
            "no", request=request, response=httpx.Response(500, request=request)
        )
    if kind in (
        httpx.StreamConsumed,
        httpx.StreamClosed,
        httpx.ResponseNotRead,
        httpx.RequestNotRead,
    ):
        return kind()
    return kind("it broke")


@pytest.mark.parametrize("kind", all_errors_of_httpx())
def test_no_error_of_the_library_leaves_the_module(kind: type[Exception]) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, error_of(kind))

    with pytest.raises((Unavailable, Malformed)):
        read(wire)


@pytest.mark.parametrize(
    ("kind", "fate"),
    [
        (httpx.ConnectError, Unsent),
        (httpx.ConnectTimeout, Unsent),
        (httpx.PoolTimeout, Unsent),
        (httpx.ProxyError, Unsent),
        (httpx.UnsupportedProtocol, Unsent),
        (httpx.InvalidURL, Unsent),
        (httpx.ReadTimeout, Broken),
        (httpx.WriteTimeout, Broken),
        (httpx.ReadError, Broken),
        (httpx.WriteError, Broken),
        (httpx.CloseError, Broken),
        (httpx.RemoteProtocolError, Broken),
        (httpx.LocalProtocolError, Broken),
        (httpx.DecodingError, Garbled),
        (httpx.TooManyRedirects, Garbled),
    ],
)
def test_only_what_surely_was_not_sent_counts_as_unsent(
    kind: type[Exception], fate: type
) -> None:
    assert isinstance(trouble(error_of(kind), "h"), fate)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_told(
    tmp_path: Path, text: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if text is not None:
        bundle.write_text(text)
    settings = ConnectionSettings(
        endpoint=ENDPOINT, api_key=ApiKey(KEY), ca_bundle=str(bundle)
    )

    with pytest.raises(
        Unavailable, match=r"the certificates in .*ca\.pem can't be read"
    ):
        GraphQLClient(settings)


def test_a_folder_of_certificates_may_be_trusted(tmp_path: Path) -> None:
    settings = ConnectionSettings(
        endpoint=ENDPOINT, api_key=ApiKey(KEY), ca_bundle=str(tmp_path)
    )

    GraphQLClient(settings).close()


def test_an_address_that_is_none_is_told() -> None:
    wire = Wire()
    client = wire.client(endpoint="https://☃.test/graphql")

    with pytest.raises(Unavailable, match="can't be reached"):
        client.execute(documents.ORGANIZATION, OrganisationData)


@pytest.mark.parametrize(
    "document",
    [
        each
        for each in vars(documents).values()
        if isinstance(each, documents.Document) and each.changes
    ],
    ids=lambda document: document.name,
)
def test_a_client_that_may_only_read_refuses_to(document: documents.Document) -> None:
    wire = Wire()
    client = wire.client(read_only=True)

    with pytest.raises(ReadOnlyError):
        client.execute(document, Anything)

    assert wire.requests == []


def test_a_client_that_may_only_read_uploads_nothing() -> None:
    wire = Wire()

    with pytest.raises(ReadOnlyError):
        upload(wire.client(read_only=True))

    assert wire.requests == []


def test_a_client_that_may_only_read_starts_exports() -> None:
    wire = Wire()
    wire.on(documents.EXPORT_RUN, {})

    wire.client(read_only=True).execute(documents.EXPORT_RUN, Anything)

    assert wire.count(documents.EXPORT_RUN) == 1


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "kéy", "a\x00b"])
def test_a_text_that_can_be_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        ApiKey(text)

    assert str(caught.value) == (
        "the API key is empty, or holds characters that no key has"
    )


def test_a_key_is_taken_without_the_newline_of_its_file() -> None:
    assert ApiKey("abc\n").bearer() == "Bearer abc"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError(f"refused {KEY}"),
        httpx.ReadTimeout("slow"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'"),
        httpx.Response(500, text=f"you sent {KEY}"),
        httpx.Response(401, json={"message": f"Invalid key {KEY}"}),
        refusal(f"Invalid key {KEY}", "AUTHENTICATION_ERROR"),
        refusal(f"odd {KEY}"),
        httpx.Response(429, json={"message": f"You have exceeded {KEY}"}),
        httpx.Response(200, text=f"<html>{KEY}"),
        httpx.Response(404, headers={"x-request-id": f"for {KEY}"}),
        {"organization": 7},
    ],
)
def test_no_traceback_shows_the_key(answer: httpx.Response | Exception) -> None:
    wire = Wire()
    wire.on(documents.ORGANIZATION, answer)
    client = wire.client()

    with pytest.raises(RemoteError) as caught:
        client.execute(documents.ORGANIZATION, OrganisationData)

    error, trace = caught.value, caught.value.__traceback__
    assert trace is not None
    told = traceback.TracebackException(
        type(error), error, trace.tb_next, capture_locals=True
    )
    assert KEY not in "".join(told.format())
    assert KEY not in f"{error!r} {error}"
    assert not isinstance(error.__context__, httpx.HTTPError)


def test_nothing_that_holds_the_key_shows_it() -> None:
    settings = ConnectionSettings(endpoint=ENDPOINT, api_key=ApiKey(KEY))
    client = GraphQLClient(settings)

    for each in [settings, settings.api_key, client]:
        assert KEY not in f"{each!r} {each}"
        assert all(
            KEY not in repr(part)
            for part in gc.get_referents(each)
            if not isinstance(part, (str, dict))
        )
    client.close()

"""Where the remote is, with which key, and how patiently: a connection's settings.

The key is held in a type that shows it to nobody, and an endpoint that could
carry it elsewhere is refused without being repeated.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from reconciler.ports import Unauthorized
from reconciler.remote.errors import KEY_HINT


class ApiKey:
    """A key that doesn't show itself, wherever it is printed.

    Raises:
        Unauthorized: When the text can't be a key; doesn't show it either.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        if not self._text or not self._text.isascii() or not self._text.isprintable():
            self._text = text = ""
            raise Unauthorized(
                "the API key is empty, or holds characters that no key has",
                hint=KEY_HINT,
            )

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def bearer(self) -> str:
        """Write the key as the header takes it."""
        return f"Bearer {self._text}"

    def hide(self, text: str) -> str:
        """Take the key out of a text that others wrote."""
        return text.replace(self._text, "…")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """Where the remote is, and how to speak to it.

    Attributes:
        endpoint: URL of the GraphQL API; `/graphql` is added to a bare host.
        api_key: The key, for that address alone.
        connect_timeout: Seconds for making a connection.
        read_timeout: Seconds without a byte of the answer.
        requests_per_minute: What the remote allows; None until it objects.
        ca_bundle: File or folder of certificates to trust in place of the
            usual ones.

    Raises:
        Unauthorized: When the endpoint is no plain http or https URL; doesn't
            show it, for it may hold a key.
    """

    endpoint: str
    api_key: ApiKey
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    requests_per_minute: int | None = None
    ca_bundle: str | None = None

    def __post_init__(self) -> None:
        if not _is_plain(self.endpoint):
            raise Unauthorized(
                "the endpoint is no http or https URL, or holds a user name, a query "
                "or a fragment",
                hint="write LABELBOX_ENDPOINT as https://HOST/graphql; the key goes "
                "into LABELBOX_API_KEY",
            )

    @property
    def url(self) -> str:
        """The endpoint with its path."""
        parts = urlsplit(self.endpoint)
        return parts._replace(path=parts.path.rstrip("/") or "/graphql").geturl()

    @property
    def experimental_url(self) -> str:
        """Where documents go that may still change: the same host, always."""
        parts = urlsplit(self.url)
        if not parts.path.endswith("/graphql"):
            return self.url
        return parts._replace(path=parts.path[: -len("graphql")] + "_gql").geturl()

    @property
    def host(self) -> str:
        """Whom to name in messages."""
        return host_of(self.endpoint)


def _is_plain(endpoint: str) -> bool:
    """Whether a URL is nothing but scheme, host, port and path.

    Whatever parsers of URLs are known to disagree about is none.
    """
    if not endpoint.isprintable() or any(one in endpoint for one in " \\?#@"):
        return False
    parts = _split(endpoint)
    return (
        parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    )


def host_of(url: str) -> str:
    """Take the host out of a URL; never the rest, which may be signed."""
    parts = _split(url)
    found = parts.netloc.rpartition("@")[2] if parts else ""
    return found or "the address of the file"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # only now is it looked at
    except ValueError:
        return None
    return parts

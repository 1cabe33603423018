"""The environment to Settings: the only reader of environment variables."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError

VARIABLES: Mapping[str, str] = {
    "LABELBOX_API_KEY": "the key for Labelbox, or for a server of your own",
    "LABELBOX_ENDPOINT": "where the API is, if not at Labelbox; as the SDK's "
    "`endpoint`, and `/graphql` is added to a bare host",
    "RECONCILER_HOME": "folder for the tool's own files; default: `.reconciler` "
    "in the workspace",
    "RECONCILER_SERVER_API_KEYS": "keys that `reconciler serve` accepts, "
    "separated by commas; `KEY;organization=NAME` opens a store of its own, "
    "`;access=read` only reads",
    "RECONCILER_TIMEOUT": "seconds to wait for one answer; default: 60",
    "REQUESTS_CA_BUNDLE": "file or folder of certificates to trust; "
    "SSL_CERT_FILE likewise",
    "NO_COLOR": "any value turns colour off; FORCE_COLOR turns it on",
}
"""Every variable that matters to the tool, with what it says.

HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured as everywhere.
"""

DEFAULT_ENDPOINT = "https://api.labelbox.com/graphql"


def _unusable(message: str) -> InputError:
    return InputError([Diagnostic(code="setting", message=message)])


ORGANIZATION_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""What an organisation of a server may be called: a file is named after it."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    """What a key of a server opens.

    Attributes:
        organization: Name of the organisation; None for the default one.
        read_only: Whether nothing may be changed with it.
    """

    organization: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        api_key: The key; never shown.
        endpoint: URL of the API when the environment names one.
        home: Folder for the tool's own files, if not the workspace's.
        server_keys: Keys that the server accepts, and what they open; never shown.
        timeout: Seconds to wait for one answer.
        ca_bundle: Certificates to trust, if not the usual ones.
        color: Whether to use colour; None leaves it to the terminal.
        ci: Whether a CI system runs the tool.
    """

    api_key: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    home: Path | None = None
    server_keys: Mapping[str, ServerKey] = field(default_factory=dict, repr=False)
    timeout: float = 60.0
    ca_bundle: Path | None = None
    color: bool | None = None
    ci: bool = False


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; an empty variable counts as absent.

    Raises:
        InputError: When a value can't be used; never shows a key.
    """
    given = os.environ if environ is None else environ  # noqa: TID251  # the one place

    def value(name: str) -> str | None:
        return given.get(name, "").strip() or None

    home = value("RECONCILER_HOME")
    bundle = value("REQUESTS_CA_BUNDLE") or value("SSL_CERT_FILE")
    return Settings(
        api_key=value("LABELBOX_API_KEY"),
        endpoint=value("LABELBOX_ENDPOINT"),
        home=Path(home) if home else None,
        server_keys=_server_keys(value("RECONCILER_SERVER_API_KEYS")),
        timeout=_seconds(value("RECONCILER_TIMEOUT")),
        ca_bundle=Path(bundle) if bundle else None,
        color=_color(given),
        ci=value("CI") not in (None, "0", "false"),
    )


def _server_keys(text: str | None) -> dict[str, ServerKey]:
    found: dict[str, ServerKey] = {}
    entries = [] if text is None else text.split(",")
    for number, entry in enumerate(entries, start=1):
        where = f"RECONCILER_SERVER_API_KEYS, entry {number}"
        key, *attributes = (part.strip() for part in entry.split(";"))
        if not key:
            raise _unusable(f"{where}: there is no key")
        if key in found:
            raise _unusable(f"{where}: the key was there before")
        found[key] = _server_key(attributes, where)
    return found


def _server_key(attributes: Iterable[str], where: str) -> ServerKey:
    given: dict[str, str] = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        if name in given:
            raise _unusable(f"{where}: {name} is given twice")
        given[name] = value
        match name:
            case "organization" if not ORGANIZATION_NAME.fullmatch(value):
                raise _unusable(
                    f"{where}: organization is {value!r}; it takes up to 40 of the "
                    "characters a-z, 0-9, - and _, with a letter or digit in front"
                )
            case "access" if value != "read":
                raise _unusable(f"{where}: access is {value!r}; it takes `read`")
            case "organization" | "access":
                continue
            case _:
                # Not shown: it may be the end of a key.
                raise _unusable(
                    f"{where}: after the key come `organization=NAME` and "
                    "`access=read`, and nothing else"
                )
    return ServerKey(given.get("organization"), "access" in given)


def _seconds(text: str | None) -> float:
    if text is None:
        return 60.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise _unusable(f"RECONCILER_TIMEOUT is {text!r}; it takes a number of seconds")
    return seconds


def _color(environ: Mapping[str, str]) -> bool | None:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("TERM") == "dumb" else None

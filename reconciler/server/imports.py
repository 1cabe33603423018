"""An uploaded manifest becomes the items that it asks to import.

A manifest lists chunks, a chunk lists items; all of them are files that were
uploaded here, and no other address is ever read. An item that can't be
understood fails alone.
"""

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from reconciler.server.errors import bad_input
from reconciler.server.store.database import Store
from reconciler.server.store.files import own_file

KEY_LENGTH: Final = 200
"""The longest global key."""


class Target(StrEnum):
    """What an item names: nothing yet, or an existing row by id or key."""

    AUTO = "AUTO"
    ID = "ID"
    GKEY = "GKEY"


@dataclass(frozen=True, slots=True)
class Item:
    """One data row to create or update; None leaves a field as it is.

    Attributes:
        target: How the row is named.
        name: Its id or global key; empty for a new row.
        dataset: Id of the dataset.
        global_key: The user's key.
        external_id: The user's other name.
        row_data: A URL or a text.
        media_attributes: What is known of the content, camelCase.
        metadata: `{"schemaId", "name", "value", "kind"}` each.
        attachments: `{"type", "value", "name"}` each.
        spec: The item as the client gets it back when it fails.
    """

    target: Target
    name: str
    dataset: str | None
    global_key: str | None
    external_id: str | None
    row_data: str | None
    media_attributes: Mapping[str, str]
    metadata: list[dict[str, Any]] | None
    attachments: list[dict[str, Any]] | None
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that can't be imported, and why."""

    message: str
    spec: Mapping[str, Any]


class _Wrong(Exception):  # noqa: N818  # a reason, and never leaves here
    pass


def read_manifest(store: Store, uri: str) -> Iterator[Item | Rejected]:
    """Read the items of a manifest in the order of its chunks.

    Raises:
        ApiError: When it, or one of its chunks, isn't a file of ours or isn't
            what it should be.
    """
    manifest = _json(store, uri, "the manifest")
    if not isinstance(manifest, dict) or not isinstance(
        manifest.get("chunk_uris"), list
    ):
        raise bad_input("the manifest has no list chunk_uris")
    chunks = [_json(store, one, "a chunk") for one in manifest["chunk_uris"]]
    if not all(isinstance(chunk, list) for chunk in chunks):
        raise bad_input("a chunk is no list of items")
    return (parse_item(item) for chunk in chunks for item in chunk)


def _json(store: Store, uri: object, what: str) -> Any:
    with store.read() as db:
        found = own_file(db, store, uri)
    if found is None:
        raise bad_input(f"{what} must be the URL of a file that was uploaded here")
    try:
        return msgspec.json.decode(store.files.path(found.sha256).read_bytes())
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_input(f"{what} is not JSON: {error}") from error


def parse_item(item: object) -> Item | Rejected:
    """Understand one item, or say why that can't be done."""
    payload = item.get("payload") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(payload, dict):
        return Rejected("an item needs an id and a payload", _spec({}))
    spec = _spec(payload)
    try:
        target, name = _target(item.get("id"))
        key = _text(payload, "global_key")
        return Item(
            target=target,
            name=name,
            dataset=_text(payload, "dataset_id"),
            global_key=_key(name if target is Target.GKEY and key is None else key),
            external_id=_text(payload, "external_id"),
            row_data=_row_data(payload.get("row_data")),
            media_attributes=_media(payload),
            metadata=_metadata(payload),
            attachments=_attachments(payload.get("attachments")),
            spec=spec,
        )
    except _Wrong as reason:
        return Rejected(str(reason), spec)


def _target(value: object) -> tuple[Target, str]:
    if not isinstance(value, dict) or value.get("type") not in set(Target):
        reason = "an item's id needs a type: AUTO, ID or GKEY"
        raise _Wrong(reason)
    name = value.get("value")
    if not isinstance(name, str):
        name = ""
    target = Target(value["type"])
    if target is not Target.AUTO and not name:
        reason = f"an item with an id of type {target} needs a value"
        raise _Wrong(reason)
    return target, name


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is not None and not isinstance(value, str):
        reason = f"{name} must be a text"
        raise _Wrong(reason)
    return value


def _key(key: str | None) -> str | None:
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LENGTH:
        reason = f"Global key must have between 1 and {KEY_LENGTH} characters"
        raise _Wrong(reason)
    if key != key.strip() or "  " in key:
        reason = f"Global key has leading, trailing or doubled spaces: '{key}'"
        raise _Wrong(reason)
    return key


def _row_data(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case {"pdf_url": str() as url}:
            return url
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case _:
            reason = "row_data must be a text or an object"
            raise _Wrong(reason)


def _media(payload: Mapping[str, Any]) -> dict[str, str]:
    known: dict[str, str] = {}
    data = payload.get("row_data")
    if isinstance(data, str):
        url = data.startswith(("http://", "https://", "gs://", "s3://"))
        guess = mimetypes.guess_type(urlsplit(data).path)[0] if url else "text/plain"
        if guess:
            known["mimeType"] = guess
    media_type = payload.get("media_type")
    if isinstance(media_type, str):
        known["assetType"] = media_type.lower()
    return known


def _metadata(payload: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    given = payload.get("metadata_fields", payload.get("metadata"))
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        reason = "metadata must be a list of objects"
        raise _Wrong(reason)
    fields = [_metadata_field(one) for one in given]
    schemas = [one["schemaId"] for one in fields]
    twice = sorted({one for one in schemas if schemas.count(one) > 1})
    if twice:
        reason = (
            "A schemaId can only be specified once per DataRow : "
            f"[{', '.join(map(str, twice))}]"
        )
        raise _Wrong(reason)
    return fields


def _metadata_field(given: Mapping[str, Any]) -> dict[str, Any]:
    schema = given.get("schemaId", given.get("schema_id"))
    name = given.get("name")
    if not isinstance(schema, str) and not isinstance(name, str):
        reason = "metadata needs a schemaId or a name"
        raise _Wrong(reason)
    value = given.get("value")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        # This server knows no metadata ontology: a field is what its name says.
        "schemaId": schema if isinstance(schema, str) else name,
        "name": name if isinstance(name, str) else None,
        "value": value,
        "kind": "CustomMetadataNumber" if number else "CustomMetadataString",
    }


def _attachments(given: object) -> list[dict[str, Any]] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        reason = "attachments must be a list"
        raise _Wrong(reason)
    return [_attachment(one) for one in given]


def _attachment(given: object) -> dict[str, Any]:
    match given:
        case {"type": str() as kind, "value": str() as value, **rest} if (
            kind in ATTACHMENTS
        ):
            name = rest.get("name")
            return {
                "type": kind,
                "value": value,
                "name": name if isinstance(name, str) else None,
            }
        case _:
            reason = "an attachment needs a value and one of the types " + ", ".join(
                sorted(ATTACHMENTS)
            )
            raise _Wrong(reason)


ATTACHMENTS: Final = frozenset(
    [
        "AUDIO",
        "VIDEO",
        "IMAGE",
        "IMAGE_OVERLAY",
        "HTML",
        "RAW_TEXT",
        "TEXT_URL",
        "PDF_URL",
        "CAMERA_IMAGE",
    ]
)
"""Types of attachments, as the schema has them."""


def _spec(payload: Mapping[str, Any]) -> dict[str, Any]:
    def each(given: object, *names: str) -> list[dict[str, Any]]:
        items = given if isinstance(given, list) else []
        return [
            {name: one.get(name) for name in names}
            for one in items
            if isinstance(one, dict)
        ]

    def text(name: str) -> str | None:
        value = payload.get(name)
        return value if isinstance(value, str) else None

    metadata = payload.get("metadata_fields", payload.get("metadata"))
    return {
        "externalId": text("external_id"),
        "globalKey": text("global_key"),
        "rowData": payload.get("row_data"),
        "metadata": each(metadata, "schemaId", "value", "name"),
        "attachments": each(payload.get("attachments"), "type", "value", "name"),
    }

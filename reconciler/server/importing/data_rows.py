"""An uploaded manifest becomes the items that it asks to import.

A manifest lists chunks, a chunk lists items; all of them are files that were
uploaded here, and no other address is ever read. An item that can't be
understood fails alone.
"""

import json
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from reconciler.server.errors import bad_input, over_quota
from reconciler.server.importing.metadata import Entry, MetadataSchema, Unfit
from reconciler.server.store.database import Store
from reconciler.server.store.files import StoredFile, own_file

KEY_LENGTH: Final = 200
"""The longest global key."""

DIMENSIONS: Final = 2_048
"""How many numbers an embedding has at most."""

_PATH_END = re.compile(r"[?#]")
_TEXT: Final[Mapping[str, str]] = {"mimeType": "text/plain"}


class Target(StrEnum):
    """What an item names: nothing yet, or an existing row by id or key."""

    AUTO = "AUTO"
    ID = "ID"
    GKEY = "GKEY"


class Item(Struct, frozen=True, gc=False):
    """One data row to create or update; None leaves a field as it is.

    Attributes:
        target: How the row is named.
        name: Its id or global key; empty for a new row.
        dataset: Id of the dataset.
        global_key: The user's key.
        external_id: The user's other name.
        row_data: A URL or a text.
        media_attributes: What is known of the content, camelCase.
        metadata: As `metadata` keeps values.
        attachments: `{"type", "value", "name"}` each.
        embeddings: Vectors as JSON, by the embedding's id.
        payload: The item as it came in.
    """

    target: Target
    name: str
    dataset: str | None
    global_key: str | None
    external_id: str | None
    row_data: str | None
    media_attributes: Mapping[str, str]
    metadata: Sequence[Entry] | None
    attachments: Sequence[Mapping[str, Any]] | None
    embeddings: Mapping[str, str] | None
    payload: Mapping[str, Any]


class Rejected(Struct, frozen=True, gc=False):
    """An item that can't be imported, and why.

    Attributes:
        message: Why.
        payload: The item as it came in.
    """

    message: str
    payload: Mapping[str, Any]

    def spec(self) -> dict[str, Any]:
        """Tell the item as clients get it back."""
        return _spec(self.payload)


_TARGETS: Final = {str(one): one for one in Target}


class _Wrong(Exception):  # noqa: N818  # a reason, and never leaves here
    pass


def read_manifest(
    store: Store, uri: str, schema: MetadataSchema, *, most: int | None
) -> list[Item | Rejected]:
    """Read the items of a manifest in the order of its chunks.

    Args:
        store: Where the files are.
        uri: The URL of the manifest.
        schema: The fields of metadata.
        most: How many items there may be.

    Raises:
        ApiError: When it, or one of its chunks, isn't a file of ours or isn't
            what it should be, or when there are too many items.
    """
    source = _file(store, uri, "the manifest")
    manifest = _json(store, source, "the manifest", msgspec.json.decode)
    if not isinstance(manifest, dict) or not isinstance(
        manifest.get("chunk_uris"), list
    ):
        raise bad_input("the manifest has no list chunk_uris")
    items: list[Item | Rejected] = []
    # A short manifest may name a lot: nothing past the limit is read.
    for file in _chunks(store, manifest["chunk_uris"]):
        chunk = _json(store, file, "a chunk", _items)
        if not isinstance(chunk, list):
            raise bad_input("a chunk is no list of items")
        if most is not None and len(items) + len(chunk) > most:
            raise over_quota(
                f"the upload has more than {most} data rows, the most that are taken"
            )
        items.extend(
            item if isinstance(item, Rejected) else parse_item(item, schema)
            for item in chunk
        )
    return items


def _chunks(store: Store, uris: Sequence[object]) -> Iterator[StoredFile]:
    seen: set[int] = set()
    for uri in uris:
        found = _file(store, uri, "a chunk")
        if found.pk in seen:
            raise bad_input("the manifest names a chunk twice")
        seen.add(found.pk)
        yield found


def _file(store: Store, uri: object, what: str) -> StoredFile:
    with store.read() as db:
        found = own_file(db, store, uri)
    if found is None:
        raise bad_input(f"{what} must be the URL of a file that was uploaded here")
    return found


def _json(
    store: Store, found: StoredFile, what: str, decode: Callable[[bytes], Any]
) -> Any:
    content = store.files.path(found.sha256).read_bytes()
    try:
        return decode(content)
    except (ValueError, RecursionError) as error:
        raise bad_input(f"{what} is not JSON: {error}") from error


def _items(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        # Half of a surrogate pair is no text, and the fault of one item only.
        found = json.loads(content)
        return [_whole(one) for one in found] if isinstance(found, list) else found


def _whole(item: object) -> Any:
    text = json.dumps(item, ensure_ascii=False)
    try:
        return msgspec.json.decode(text.encode())
    except UnicodeEncodeError:
        mended = msgspec.json.decode(text.encode(errors="replace"))
        payload = mended.get("payload") if isinstance(mended, dict) else None
        reason = "the item holds half of a surrogate pair, which is no text"
        return Rejected(reason, payload if isinstance(payload, dict) else {})


def parse_item(item: object, schema: MetadataSchema) -> Item | Rejected:
    """Understand one item, or say why that can't be done."""
    payload = item.get("payload") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(payload, dict):
        return Rejected("an item needs an id and a payload", {})
    try:
        target, name = _target(item.get("id"))
        key = _text(payload, "global_key")
        return Item(
            target=target,
            name=name,
            dataset=_text(payload, "dataset_id"),
            global_key=_key(name if target is Target.GKEY and key is None else key),
            external_id=_text(payload, "external_id"),
            row_data=row_text(payload.get("row_data")),
            media_attributes=_media(payload),
            metadata=_metadata(payload, schema),
            attachments=_attachments(payload.get("attachments")),
            embeddings=_embeddings(payload.get("embeddings")),
            payload=payload,
        )
    except (Unfit, _Wrong) as reason:
        return Rejected(str(reason), payload)


def _target(value: object) -> tuple[Target, str]:
    if not isinstance(value, dict) or str(value.get("type")) not in _TARGETS:
        reason = "an item's id needs a type: AUTO, ID or GKEY"
        raise _Wrong(reason)
    target, name = _TARGETS[str(value["type"])], value.get("value")
    if not isinstance(name, str):
        name = ""
    _refuse_nul(name, "id")
    if target is not Target.AUTO and not name:
        reason = f"an item with an id of type {target} needs a value"
        raise _Wrong(reason)
    return target, name


def _text(payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is not None and not isinstance(value, str):
        reason = f"{name} must be a text"
        raise _Wrong(reason)
    _refuse_nul(value, name)
    return value


def _refuse_nul(text: str | None, name: str) -> None:
    # The store would end the name there, and take it for another.
    if text and "\0" in text:
        reason = f"{name}: {text!r} holds a NUL character; leave it out"
        raise _Wrong(reason)


def _key(key: str | None) -> str | None:
    if key is not None and (reason := key_problem(key)):
        raise _Wrong(reason)
    return key


def key_problem(key: str) -> str | None:
    """Say why a text can't be a global key; None when it can."""
    if not 0 < len(key) <= KEY_LENGTH:
        return f"Global key must have between 1 and {KEY_LENGTH} characters"
    if key != key.strip() or "  " in key:
        return f"Global key has leading, trailing or doubled spaces: '{key}'"
    return None


def row_text(value: object) -> str | None:
    """Read row data as it is kept: a URL or a text, objects as JSON."""
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


def _media(payload: Mapping[str, Any]) -> Mapping[str, str]:
    data = payload.get("row_data")
    known = known_media(data) if isinstance(data, str) else {}
    media_type = payload.get("media_type")
    if isinstance(media_type, str):
        return {**known, "assetType": media_type.lower()}
    return known


def known_media(row_data: str) -> Mapping[str, str]:
    """Tell what row data says of its content by its look."""
    if not row_data.startswith(("http://", "https://", "gs://", "s3://")):
        return _TEXT
    name = _PATH_END.split(row_data, maxsplit=1)[0].rpartition("/")[2]
    return _of_suffix(name.rpartition(".")[2] if "." in name else "")


@lru_cache(maxsize=256)
def _of_suffix(suffix: str) -> Mapping[str, str]:
    guess = mimetypes.guess_type(f"a.{suffix}")[0]
    return {"mimeType": guess} if guess else {}


def _metadata(
    payload: Mapping[str, Any], schema: MetadataSchema
) -> Sequence[Entry] | None:
    given = payload.get("metadata_fields", payload.get("metadata"))
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        reason = "metadata must be a list of objects"
        raise _Wrong(reason)
    return schema.entries(given)


def _embeddings(given: object) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        reason = "embeddings must be a list"
        raise _Wrong(reason)
    return dict(map(_embedding, given))


def _embedding(given: object) -> tuple[str, str]:
    match given:
        case {"embeddingId": str() as name, "vector": list() as vector} if 0 < len(
            vector
        ) <= DIMENSIONS and all(type(number) in {int, float} for number in vector):
            _refuse_nul(name, "embeddingId")
            return name, msgspec.json.encode(vector).decode()
        case _:
            reason = (
                "an embedding needs an embeddingId and a vector of at most "
                f"{DIMENSIONS} numbers"
            )
            raise _Wrong(reason)


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
            given_name = rest.get("name")
            name = given_name if isinstance(given_name, str) else None
            _refuse_nul(name, "an attachment's name")
            return {"type": kind, "value": value, "name": name}
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

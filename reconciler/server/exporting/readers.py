"""How the lines of labels and predictions are read, as the kind of data asks."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import Connection

from reconciler.annotations.features import Features
from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.files import Wanted
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.store.export import ExportedRow

_MIMES: Final = {"application/pdf": "PDF", "text/html": "HTML"}
_FAMILIES: Final = {
    "audio": "AUDIO",
    "image": "IMAGE",
    "text": "TEXT",
    "video": "VIDEO",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sections of an export work with.

    Attributes:
        db: The snapshot.
        wanted: What lines shall say.
        masks: Where pixels of masks go.
        split_key: What a row's split is called.
    """

    db: Connection
    wanted: Wanted
    masks: MaskFiles
    split_key: str


class Readers:
    """How lines of one ontology are read, for each kind of data."""

    def __init__(
        self, around: Surroundings, features: Features, media_type: str | None
    ) -> None:
        self._features = features
        self._masks = around.masks
        self._media_type = around.wanted.media_type or media_type
        self._known: dict[tuple[str | None, bool], Reader] = {}

    def choose(self, row: ExportedRow, *, marks: bool) -> Reader:
        """Say how the lines of a row are read, with or without confidences."""
        media_type = self._media_type or media_type_of(row.media_attributes)
        key = (media_type, marks)
        if key not in self._known:
            self._known[key] = Reader(self._features, media_type, self._masks, marks)
        return self._known[key]


@lru_cache(maxsize=1024)
def media_type_of(media_attributes: str) -> str | None:
    """Guess from what is known of a row what it is; None when that is nothing."""
    known = msgspec.json.decode(media_attributes)
    if asset := known.get("assetType"):
        return str(asset).upper()
    mime = str(known.get("mimeType", ""))
    return _MIMES.get(mime) or _FAMILIES.get(mime.partition("/")[0])

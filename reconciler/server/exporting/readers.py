"""How the lines of labels and predictions are read, as the kind of data asks."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import Connection

from reconciler.annotations.features import Features
from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.files import Wanted
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.store.export import ExportedRow
from reconciler.server.store.export_contents import StoredContent
from reconciler.server.store.export_subjects import read_features

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
        uuids: Whether annotations say with which uuid they were imported.
        ontologies: Those that labels are made with, by number.
    """

    db: Connection
    wanted: Wanted
    masks: MaskFiles
    split_key: str
    uuids: bool
    ontologies: dict[int | None, Features] = field(
        default_factory=lambda: {None: Features.of({})}
    )

    def features(self, ontology_pk: int | None) -> Features:
        """Look up the ontology that a label is made with; it has nothing if none."""
        if ontology_pk not in self.ontologies:
            assert ontology_pk is not None, "that one is known from the start"
            found = read_features(self.db, ontology_pk)
            self.ontologies[ontology_pk] = found
        return self.ontologies[ontology_pk]


class Readers:
    """How lines of a run or project are read, for each kind of data.

    Predictions are made with the model's ontology. A label may be older than what
    its project has by now, or come from another project than the run's other
    labels: it is read by the ontology that it was made with.
    """

    def __init__(self, around: Surroundings, media_type: str | None) -> None:
        self._around = around
        self._media_type = around.wanted.media_type or media_type
        self._known: dict[tuple[str | None, int | None, bool], Reader] = {}

    def of_label(self, row: ExportedRow, content: StoredContent) -> Reader:
        """Say how a label of a row is read."""
        return self._reader(row, content.ontology_pk, marks=False)

    def of_predictions(self, row: ExportedRow, ontology_pk: int) -> Reader:
        """Say how the predictions for a row are read: with their confidences."""
        return self._reader(row, ontology_pk, marks=True)

    def _reader(
        self, row: ExportedRow, ontology_pk: int | None, *, marks: bool
    ) -> Reader:
        media_type = self._media_type or media_type_of(row.media_attributes)
        key = (media_type, ontology_pk, marks)
        if key not in self._known:
            features = self._around.features(ontology_pk)
            masks = self._around.masks
            uuids = self._around.uuids
            self._known[key] = Reader(features, media_type, masks, marks, uuids)
        return self._known[key]


@lru_cache(maxsize=1024)
def media_type_of(media_attributes: str) -> str | None:
    """Guess from what is known of a row what it is; None when that is nothing."""
    known = msgspec.json.decode(media_attributes)
    if asset := known.get("assetType"):
        return str(asset).upper()
    mime = str(known.get("mimeType", ""))
    return _MIMES.get(mime) or _FAMILIES.get(mime.partition("/")[0])

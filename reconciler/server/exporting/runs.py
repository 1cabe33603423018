"""What lines say of the runs that a row is in.

Predictions of a row are one entry, whose id is computed. Metrics have no place in
Labelbox's own exports; here they stand beside the predictions, as `metrics`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.annotations.rows import decode
from reconciler.server.exporting.files import Say, Section
from reconciler.server.exporting.labels import decode_lines, label_of, numbered
from reconciler.server.exporting.readers import Readers, Surroundings
from reconciler.server.store.export import ExportedRow
from reconciler.server.store.export_contents import (
    Place,
    StoredContent,
    StoredMetric,
    read_contents,
    read_metrics,
    read_places,
    read_predictions,
)
from reconciler.server.store.export_subjects import Run
from reconciler.server.store.membership import SPLITS


def run_section(around: Surroundings, run: Run) -> Section:
    """Say what a run says of its rows, each of which brings its place along."""
    readers = Readers(around, run.media_type)

    def prepare(batch: Sequence[ExportedRow]) -> Say:
        known = _know(around, run, readers, [row.pk for row in batch], batch)
        return lambda row: {
            "experiments": {
                run.model_id: {
                    "name": run.model_name,
                    "runs": {run.id: known.say(row, row)},
                }
            }
        }

    return prepare


def runs_section(around: Surroundings, runs: Sequence[Run]) -> Section:
    """Say what runs say of rows, any of which may be in any of them."""
    readers = [Readers(around, run.media_type) for run in runs]

    def prepare(batch: Sequence[ExportedRow]) -> Say:
        row_pks = [row.pk for row in batch]
        prepared = []
        for run, reads in zip(runs, readers, strict=True):
            places = read_places(around.db, run.pk, row_pks)
            if places:
                known = _know(around, run, reads, row_pks, list(places.values()))
                prepared.append((known, places))

        def say(row: ExportedRow) -> Mapping[str, Any]:
            models: dict[str, Any] = {}
            for known, places in prepared:
                if place := places.get(row.pk):
                    run = known.run
                    empty = {"name": run.model_name, "runs": {}}
                    model = models.setdefault(run.model_id, empty)
                    model["runs"][run.id] = known.say(row, place)
            return {"experiments": models}

        return say

    return prepare


@dataclass(frozen=True, slots=True)
class _Known:
    """What a run knows of the rows of a batch.

    Attributes:
        around: What the export works with.
        run: The run.
        readers: How lines are read.
        contents: What labels say.
        predicted: Predictions by row, each its uuid and its line.
        measured: Metrics by row.
    """

    around: Surroundings
    run: Run
    readers: Readers
    contents: Mapping[int, StoredContent]
    predicted: Mapping[int, Sequence[tuple[str, str]]]
    measured: Mapping[int, Sequence[StoredMetric]]

    def say(self, row: ExportedRow, place: ExportedRow | Place) -> dict[str, Any]:
        """Say all of a row that is at that place in the run."""
        wanted, run = self.around.wanted, self.run
        said: dict[str, Any] = {"name": run.name, "run_data_row_id": run.row_id(row.id)}
        if wanted.run_details:
            said[self.around.split_key] = SPLITS[place.split]
        said["labels"] = [] if place.label_id is None else [self._label(row, place)]
        if wanted.predictions:
            lines = self.predicted.get(row.pk)
            said["predictions"] = [self._predictions(row, lines)] if lines else []
            said["metrics"] = [_metric(one) for one in self.measured.get(row.pk, ())]
        return said

    def _label(self, row: ExportedRow, place: ExportedRow | Place) -> dict[str, Any]:
        assert place.label_id is not None
        assert place.content_pk is not None, "labels come with what they say"
        content = self.contents[place.content_pk]
        return label_of(
            self.readers.of_label(row, content),
            place.label_id,
            numbered(decode_lines(content.annotations)),
            between=self.around.wanted.interpolated,
        )

    def _predictions(
        self, row: ExportedRow, lines: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        return label_of(
            self.readers.of_predictions(row, self.run.ontology_pk),
            self.run.entry_id(row.id),
            [(uuid, decode(line.encode())) for uuid, line in lines],
            between=self.around.wanted.interpolated,
        )


def _know(
    around: Surroundings,
    run: Run,
    readers: Readers,
    row_pks: Sequence[int],
    places: Sequence[ExportedRow | Place],
) -> _Known:
    taken = [one.content_pk for one in places if one.content_pk is not None]
    contents = read_contents(around.db, taken)
    if not around.wanted.predictions:
        return _Known(around, run, readers, contents, {}, {})
    predicted = read_predictions(around.db, run.pk, row_pks)
    measured = read_metrics(around.db, run.pk, row_pks)
    return _Known(around, run, readers, contents, predicted, measured)


def _metric(stored: StoredMetric) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if stored.name:
        found["metric_name"] = stored.name
    found["metric_value"] = msgspec.Raw(stored.value.encode())
    found["aggregation"] = stored.aggregation
    if stored.feature:
        found["feature_name"] = stored.feature
    if stored.subclass:
        found["subclass_name"] = stored.subclass
    return found

"""The exported rows of a run to the files that manifests name."""

import base64
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import msgspec

from reconciler.annotations.black_and_white import is_black_and_white
from reconciler.annotations.digests import RowFacts
from reconciler.annotations.exported import CannotReadError, import_rows
from reconciler.annotations.rows import Row
from reconciler.diagnostics import Diagnostic
from reconciler.pipeline.facts import row_facts
from reconciler.pipeline.folders import Folder, Sheet
from reconciler.pipeline.media import fetched, is_at
from reconciler.rows.names import check_name
from reconciler.rows.problems import Problems
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.contents import RunRow
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.resources import RowIdentity, Split

COLUMNS: Final = {
    RowIdentity.GLOBAL_KEY: "global_key",
    RowIdentity.DATA_ROW_ID: "data_row_id",
}
"""What the column of `rows.csv` that names rows is called."""

SPLIT: Final = "split"
"""The column of `rows.csv` that holds the split."""

_WHITE: Final[JsonValue] = [255, 255, 255]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the files of a run are called, in their folder.

    Attributes:
        rows: CSV of names and splits.
        predictions: NDJSON.
        metrics: NDJSON.
        labels: NDJSON; None writes no labels.
    """

    rows: str
    predictions: str
    metrics: str
    labels: str | None = None


@dataclass(kw_only=True)
class RunFiles:
    """What was written, and what it says.

    Attributes:
        by: How rows are named.
        rows: What the run has of each row, by name.
        labels: Its labels, by row.
        counts: How many labelled rows, predictions and metrics there are, and
            how many masks stay at URLs (`masks`), how many of those at the
            remote's own (`masks at home`), and how many predictions came without
            a uuid (`nameless`).
        unnamed: How many rows have no global key that a manifest may name; they
            are in no file.
    """

    by: RowIdentity
    rows: dict[str, RowFacts] = field(default_factory=dict)
    labels: list[PinnedLabel] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0


def write_run_files(
    batches: Iterable[Sequence[RunRow]],
    folder: Folder,
    names: Names,
    *,
    by: RowIdentity,
    media_type: str | None,
    fetch: Callable[[str], bytes] | None = None,
    host: str | None = None,
    seen: Callable[[Sequence[RunRow]], object] = lambda _: None,
) -> RunFiles:
    """Write the rows of a run, with all that hangs on them.

    A file of which there would be nothing isn't made.

    Args:
        batches: The rows, as they are exported; read once.
        folder: Where the files go.
        names: What they are called.
        by: How rows are named.
        media_type: What the data is, as the API spells it.
        fetch: Gets the masks that are files of their own, to write them into the
            lines; None leaves them at their URLs.
        host: Of the remote; its own URLs end.
        seen: Called with every batch.

    Raises:
        InputError: When an annotation can't be written as a line of an import.
        RemoteError: When a mask can't be fetched.
    """
    done = RunFiles(by=by)
    problems = Problems()
    with ExitStack() as stack:
        predictions = stack.enter_context(folder.sheet(names.predictions))
        metrics = stack.enter_context(folder.sheet(names.metrics))
        labels = (
            None
            if names.labels is None
            else stack.enter_context(folder.sheet(names.labels))
        )
        pixels = _Pixels(fetch, host, done.counts)
        for batch in batches:
            for row in batch:
                name = name_of(row, by)
                if name is None:
                    done.unnamed += 1
                    continue
                try:
                    found = row_facts(row, media_type)
                    done.rows[name] = found
                    _note_label(done, name, row, found)
                    for entry in row.predictions:
                        lines = import_rows(entry, media_type=media_type)
                        done.counts["predictions"] += len(lines)
                        # What others relate to has a uuid, made up if need be.
                        if any("uuid" not in line for line in lines):
                            done.counts["nameless"] += len(lines)
                        for line in lines:
                            _write(predictions, name, by, pixels(name, line))
                    for line in row.metrics:
                        done.counts["metrics"] += 1
                        _write(metrics, name, by, line)
                    for entry in row.labels if labels else ():
                        for line in import_rows(entry, media_type=media_type):
                            assert labels is not None
                            _write(labels, name, by, pixels(name, line))
                except CannotReadError as error:
                    problems.add(
                        Diagnostic(
                            code="export-unreadable",
                            message=f"data row {name}: {error}",
                        )
                    )
            seen(batch)
        problems.raise_if_any()
    if done.rows:
        folder.write(names.rows, rows_csv(done.rows, by))
    return done


def name_of(row: RunRow, by: RowIdentity) -> str | None:
    """Name a row as manifests may; None when it has no such name."""
    if by is RowIdentity.DATA_ROW_ID:
        return row.id
    if row.key is None or check_name(row.key, by):
        return None
    return row.key


def rows_csv(rows: Mapping[str, RowFacts], by: RowIdentity) -> bytes:
    """Write names and splits, sorted by name."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([COLUMNS[by], SPLIT])
    writer.writerows((name, rows[name].split.value) for name in sorted(rows))
    return text.getvalue().encode()


def split_lists(rows: Mapping[str, RowFacts]) -> Iterator[tuple[Split, bytes]]:
    """List the names of each split that has any, sorted, one a line."""
    dealt: dict[Split, list[str]] = {}
    for name, row in rows.items():
        dealt.setdefault(row.split, []).append(name)
    for split in Split:
        if split in dealt:
            yield split, "".join(f"{name}\n" for name in sorted(dealt[split])).encode()


def _note_label(done: RunFiles, name: str, row: RunRow, found: RowFacts) -> None:
    if found.label is None:
        return
    done.counts["labels"] += 1
    label_id = row.labels[0].get("id")
    done.labels.append(
        PinnedLabel(
            name,
            ContentHash(found.label),
            RemoteId(label_id) if isinstance(label_id, str) else None,
        )
    )


def _write(sheet: Sheet, name: str, by: RowIdentity, line: JsonObject) -> None:
    row: JsonObject = {
        "id" if by is RowIdentity.DATA_ROW_ID else "globalKey": name,
    }
    sheet.write(_encode({"dataRow": row, **line}) + b"\n")


@dataclass(frozen=True)
class _Pixels:
    """Puts masks that are pictures of their own into their lines."""

    fetch: Callable[[str], bytes] | None
    host: str | None
    counts: Counter[str]

    def __call__(self, name: str, line: JsonObject) -> JsonObject:
        mask = line.get("mask")
        if isinstance(mask, dict):
            url = mask.get("instanceURI")
            if isinstance(url, str):
                if self.fetch and mask.get("colorRGB") == _WHITE:
                    content = fetched(self.fetch, url, f"a mask of data row {name}")
                    if is_black_and_white(content):
                        png = base64.b64encode(content).decode()
                        return {**line, "mask": {"png": png}}
                self._leave(url)
        elif "masks" in line:
            frames = msgspec.convert(line, Row).masks
            self._leave(
                *(one.url for one in frames.frames if one.url) if frames else ()
            )
        return line

    def _leave(self, *urls: str) -> None:
        self.counts["masks"] += 1
        if any(is_at(url, self.host) for url in urls):
            self.counts["masks at home"] += 1

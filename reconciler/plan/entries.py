"""Operations to entries of a plan file and back: JSON, with what is long as CSV."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.plan.archive import PlanArchive, read_lines
from reconciler.plan.changes import Action, LabelsChange
from reconciler.plan.operations import Operation, SentSlots, uploads_json
from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.resources import GlobalKey, RowIdentity, Split
from reconciler.state.uploads import Family

_ROW_COLUMNS: Final = ("change", "name", "key", "before", "after")
_DATA_ROW_COLUMNS: Final = ("global_key", "fingerprint")
_LABEL_COLUMNS: Final = ("change", "global_key", "content", "label_id", "changed")


def write_operation(
    operation: Operation, archive: PlanArchive, *, number: int
) -> JsonObject:
    """Write down an operation; what is long goes into members of its own.

    Args:
        operation: What is done to an object.
        archive: Where members go.
        number: Which operation it is; names the members.
    """
    entry: JsonObject = {
        "address": str(operation.address),
        "action": operation.action.value,
        "before": operation.before,
        "after": operation.after,
    }
    if operation.rows:
        entry["rows"] = {
            "by": operation.rows.by.value,
            "kept": operation.rows.kept,
            "before": operation.rows.before,
            "after": operation.rows.after,
            "file": archive.add_lines(
                f"rows/{number:05}.csv", _ROW_COLUMNS, _row_lines(operation.rows)
            ),
        }
    if operation.data_rows is not None:
        entry["dataRows"] = archive.add_lines(
            f"data-rows/{number:05}.csv",
            _DATA_ROW_COLUMNS,
            sorted(operation.data_rows.items()),
        )
    if operation.labels:
        labels = operation.labels
        entry["labels"] = {
            "project": None if labels.project is None else str(labels.project),
            "kept": labels.kept,
            "surplus": labels.surplus,
            "before": labels.before,
            "file": archive.add_lines(
                f"labels/{number:05}.csv", _LABEL_COLUMNS, _label_lines(labels)
            ),
        }
    if operation.uploads:
        entry["uploads"] = uploads_json(operation.uploads)
    return entry


def read_operation(
    entry: Mapping[str, JsonValue], archive: zipfile.ZipFile
) -> Operation:
    """Read an operation back.

    Raises:
        ValueError, TypeError, KeyError: When it isn't one.
    """
    before, after = entry["before"], entry["after"]
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise TypeError("before and after are mappings")
    rows, labels = entry.get("rows"), entry.get("labels")
    data_rows, uploads = entry.get("dataRows"), entry.get("uploads")
    return Operation(
        address=Address.parse(str(entry["address"])),
        action=Action(str(entry["action"])),
        before=before,
        after=after,
        rows=_rows(rows, archive) if isinstance(rows, dict) else None,
        data_rows=(
            {
                GlobalKey(key): fingerprint
                for key, fingerprint in read_lines(archive, data_rows)
            }
            if isinstance(data_rows, str)
            else None
        ),
        labels=_labels(labels, archive) if isinstance(labels, dict) else None,
        uploads=_uploads(uploads) if isinstance(uploads, dict) else {},
    )


def _row_lines(rows: RowsChange) -> Iterator[tuple[str, ...]]:
    for split in sorted(rows.added):
        for added in rows.added[split]:
            yield "add", added, "", "", split
    for before, after in sorted(rows.moved):
        for moved in rows.moved[before, after]:
            yield "move", moved, "", before, after
    for row in rows.removed:
        # An empty key and no key are told apart by the quotes of JSON.
        yield "remove", row.id, json.dumps(row.key), row.split, ""


def _rows(entry: JsonObject, archive: zipfile.ZipFile) -> RowsChange:
    added: dict[Split, list[str]] = {}
    moved: dict[tuple[Split, Split], list[str]] = {}
    removed: list[CurrentRow] = []
    for change, name, key, old, new in read_lines(archive, str(entry["file"])):
        match change:
            case "add":
                added.setdefault(Split(new), []).append(name)
            case "move":
                moved.setdefault((Split(old), Split(new)), []).append(name)
            case "remove":
                removed.append(CurrentRow(name, json.loads(key), Split(old)))
            case _:
                raise ValueError(f"{change!r} is no change of rows")
    return RowsChange(
        by=RowIdentity(str(entry["by"])),
        added={split: tuple(names) for split, names in added.items()},
        moved={splits: tuple(names) for splits, names in moved.items()},
        removed=tuple(removed),
        kept=int(str(entry["kept"])),
        before=_text_or_none(entry["before"]),
        after=_text_or_none(entry["after"]),
    )


def _label_lines(labels: LabelsChange) -> Iterator[tuple[str, ...]]:
    for change, pins in (("add", labels.added), ("replace", labels.replaced)):
        for pin in pins:
            yield change, pin.row, pin.content, pin.label_id or "", pin.changed or ""
    for label_id in labels.ids:
        yield "id", "", "", label_id, ""


def _labels(entry: JsonObject, archive: zipfile.ZipFile) -> LabelsChange:
    pins: dict[str, list[PinnedLabel]] = {"add": [], "replace": []}
    ids: list[RemoteId] = []
    for change, row, content, label_id, changed in read_lines(
        archive, str(entry["file"])
    ):
        if change == "id":
            ids.append(RemoteId(label_id))
            continue
        hint = RemoteId(label_id) if label_id else None
        pin = PinnedLabel(row, ContentHash(content), hint, changed or None)
        pins[change].append(pin)
    project = _text_or_none(entry["project"])
    return LabelsChange(
        project=None if project is None else Address.parse(project),
        added=tuple(pins["add"]),
        replaced=tuple(pins["replace"]),
        ids=tuple(ids),
        kept=int(str(entry["kept"])),
        surplus=int(str(entry["surplus"])),
        before=_text_or_none(entry["before"]),
    )


def _uploads(entry: JsonObject) -> Mapping[Family, SentSlots]:
    found: dict[Family, SentSlots] = {}
    for family, sent in entry.items():
        if not isinstance(sent, dict) or not isinstance(sent["chunks"], dict):
            raise TypeError("what is sent is a mapping of slots")
        chunks = {int(number): str(of) for number, of in sent["chunks"].items()}
        found[Family(family)] = SentSlots(int(str(sent["slots"])), chunks)
    return found


def _text_or_none(value: JsonValue) -> str | None:
    return None if value is None else str(value)

"""Plans to files and back: a zip of `plan.json` and row differences as CSV.

A plan file holds what was agreed to and nothing else: no secrets, no content
of data rows, no times. It says the hash of every one of its parts and of itself,
and the plan's digest; all are computed again when it is read, so that an edited
or damaged file is refused. That is no signature: see the decision records.
"""

import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import IO, Final

from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.plan.build import Plan
from reconciler.plan.changes import Action
from reconciler.plan.operations import Operation, plan_digest
from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject, JsonValue, digest
from reconciler.state.resources import GlobalKey, RowIdentity, Split

FORMAT_VERSION: Final = "1.0"
"""Minor versions add fields; readers refuse another major one."""

_ROW_COLUMNS: Final = ("change", "name", "key", "before", "after")
_DATA_ROW_COLUMNS: Final = ("global_key", "fingerprint")
_CHUNK: Final = 1 << 20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as it was agreed to.

    Attributes:
        workspace: Name of the workspace it was made in.
        target: Endpoint and organisation it was made for.
        operations: What it does, sorted by address.
        allowed: The addresses allowed to pass a guard.
        selection: The path that narrowed it.
        digest: Its name.
        after: How many plans had been carried out from this workspace when it
            was made: the same plan may be made, and carried out, again later.
    """

    workspace: str
    target: JsonObject
    operations: tuple[Operation, ...]
    allowed: tuple[Address, ...]
    selection: str | None
    digest: str
    after: int = 0


def save_plan(plan: Plan, *, after: int = 0) -> SavedPlan:
    """Reduce a plan to what is agreed to.

    Args:
        plan: The plan.
        after: How many plans were carried out before it was made.
    """
    return SavedPlan(
        workspace=plan.workspace,
        target=plan.target.to_json(),
        operations=plan.operations,
        allowed=plan.allowed,
        selection=plan.selection,
        digest=plan.digest,
        after=after,
    )


def write_plan(saved: SavedPlan, file: IO[bytes]) -> None:
    """Write a plan file; the same plan gives the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        operations: list[JsonValue] = []
        files: JsonObject = {}
        for number, operation in enumerate(saved.operations, start=1):
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
                    "file": f"rows/{number:05}.csv",
                }
                files[f"rows/{number:05}.csv"] = _add(
                    archive,
                    f"rows/{number:05}.csv",
                    _ROW_COLUMNS,
                    _row_lines(operation.rows),
                )
            if operation.data_rows is not None:
                entry["dataRows"] = f"data-rows/{number:05}.csv"
                files[f"data-rows/{number:05}.csv"] = _add(
                    archive,
                    f"data-rows/{number:05}.csv",
                    _DATA_ROW_COLUMNS,
                    sorted(operation.data_rows.items()),
                )
            operations.append(entry)
        document: JsonObject = {
            "format_version": FORMAT_VERSION,
            "digest": saved.digest,
            "workspace": saved.workspace,
            "target": saved.target,
            "selection": saved.selection,
            "after": saved.after,
            "allowed": [str(address) for address in saved.allowed],
            "operations": operations,
            "files": files,
        }
        document["integrity"] = digest(document)
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        archive.writestr(_member("plan.json"), text + "\n")


def read_plan(file: IO[bytes], *, name: str) -> SavedPlan:
    """Read a plan file back.

    Args:
        file: The file's bytes.
        name: What to call it in messages.

    Raises:
        InputError: When it is no plan, of another version, or was edited.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            document = json.loads(archive.read("plan.json"))
            _check_version(document, name)
            _check_integrity(document, archive, name)
            saved = SavedPlan(
                workspace=_text(document["workspace"]),
                target=document["target"],
                operations=tuple(
                    _operation(entry, archive) for entry in document["operations"]
                ),
                allowed=tuple(map(Address.parse, document["allowed"])),
                selection=(
                    None
                    if document["selection"] is None
                    else _text(document["selection"])
                ),
                digest=_text(document["digest"]),
                after=int(document["after"]),
            )
            computed = plan_digest(
                saved.operations, target=saved.target, allowed=saved.allowed
            )
    except (
        zipfile.BadZipFile,
        zlib.error,
        csv.Error,
        AttributeError,
        EOFError,
        KeyError,
        NotImplementedError,  # a zip with features that nobody gave it
        RuntimeError,  # an encrypted one; nesting without end
        TypeError,
        ValueError,  # also text that is no JSON, no UTF-8, or no known word
    ) as error:
        raise _refusal(name, "is no saved plan, or is damaged") from error
    if computed != saved.digest:
        raise _refusal(name, "was edited: its operations have another digest")
    return saved


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _check_integrity(document: JsonObject, archive: zipfile.ZipFile, name: str) -> None:
    stated = document.pop("integrity", None)
    if stated != digest(document):
        raise _refusal(name, "was edited: plan.json has another hash than it says")
    files = document["files"]
    if not isinstance(files, dict):
        raise TypeError("files is a mapping")
    for file, hashed in files.items():
        found = hashlib.sha256(archive.read(file)).hexdigest()
        if f"sha256:{found}" != hashed:
            raise _refusal(name, f"was edited: {file} has another hash than it says")


def _check_version(document: Mapping[str, object], name: str) -> None:
    version = str(document["format_version"])
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise _refusal(
            name,
            f"has format version {version}; this tool reads {FORMAT_VERSION}",
        )


def _refusal(name: str, why: str) -> InputError:
    return InputError(
        [
            Diagnostic(
                code="plan-file",
                message=f"the plan file {why}",
                span=Span(name),
                hint="make a new one with `reconciler plan --out FILE`",
            )
        ]
    )


def _add(
    archive: zipfile.ZipFile,
    name: str,
    columns: tuple[str, ...],
    lines: Iterable[tuple[str, ...]],
) -> str:
    """Write a member line by line; return the hash of its content."""
    found = hashlib.sha256()
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    with archive.open(_member(name), "w", force_zip64=True) as raw:
        for line in chain([columns], lines):
            writer.writerow(line)
            if buffer.tell() > _CHUNK:
                _drain(buffer, raw, found)
        _drain(buffer, raw, found)
    return f"sha256:{found.hexdigest()}"


def _drain(buffer: io.StringIO, raw: IO[bytes], found: "hashlib._Hash") -> None:
    content = buffer.getvalue().encode()
    raw.write(content)
    found.update(content)
    buffer.seek(0)
    buffer.truncate()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


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


def _operation(entry: Mapping[str, JsonValue], archive: zipfile.ZipFile) -> Operation:
    rows = entry.get("rows")
    data_rows = entry.get("dataRows")
    before, after = entry["before"], entry["after"]
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise TypeError("before and after are mappings")
    return Operation(
        address=Address.parse(str(entry["address"])),
        action=Action(str(entry["action"])),
        before=before,
        after=after,
        rows=_rows(rows, archive) if isinstance(rows, dict) else None,
        data_rows=(
            {
                GlobalKey(key): fingerprint
                for key, fingerprint in _lines(archive, data_rows)
            }
            if isinstance(data_rows, str)
            else None
        ),
    )


def _rows(entry: JsonObject, archive: zipfile.ZipFile) -> RowsChange:
    added: dict[Split, list[str]] = {}
    moved: dict[tuple[Split, Split], list[str]] = {}
    removed: list[CurrentRow] = []
    for change, name, key, old, new in _lines(archive, str(entry["file"])):
        match change:
            case "add":
                added.setdefault(Split(new), []).append(name)
            case "move":
                moved.setdefault((Split(old), Split(new)), []).append(name)
            case "remove":
                removed.append(CurrentRow(name, json.loads(key), Split(old)))
            case _:
                raise ValueError(f"{change!r} is no change of rows")
    digest_before, digest_after = entry["before"], entry["after"]
    return RowsChange(
        by=RowIdentity(str(entry["by"])),
        added={split: tuple(names) for split, names in added.items()},
        moved={splits: tuple(names) for splits, names in moved.items()},
        removed=tuple(removed),
        kept=int(str(entry["kept"])),
        before=str(digest_before) if digest_before is not None else None,
        after=str(digest_after) if digest_after is not None else None,
    )


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[list[str]]:
    with (
        archive.open(name) as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
    ):
        lines = csv.reader(text)
        next(lines)
        yield from lines

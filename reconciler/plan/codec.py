"""Plans to files and back: a zip of `plan.json`, with long differences as CSV.

A plan file holds what was agreed to and nothing else: no secrets, no content
of data rows or predictions, no times. It says the hash of every one of its parts and of itself,
and the plan's digest; all are computed again when it is read, so that an edited
or damaged file is refused. That is no signature: see the decision records.
"""

import csv
import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Final

from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.plan.archive import PlanArchive
from reconciler.plan.build import Plan
from reconciler.plan.entries import read_operation, write_operation
from reconciler.plan.guards import Allowance
from reconciler.plan.operations import Operation, plan_digest
from reconciler.state.canonical import JsonObject, digest

FORMAT_VERSION: Final = "2.0"
"""Minor versions add fields; readers refuse another major one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as it was agreed to.

    Attributes:
        workspace: Name of the workspace it was made in.
        target: Endpoint and organisation it was made for.
        operations: What it does, sorted by address.
        allowed: What was allowed to pass a guard.
        selection: The path that narrowed it.
        digest: Its name.
        after: How many plans had been carried out from this workspace when it
            was made: the same plan may be made, and carried out, again later.
    """

    workspace: str
    target: JsonObject
    operations: tuple[Operation, ...]
    allowed: tuple[Allowance, ...]
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
        members = PlanArchive(archive)
        operations = [
            write_operation(operation, members, number=number)
            for number, operation in enumerate(saved.operations, start=1)
        ]
        document: JsonObject = {
            "format_version": FORMAT_VERSION,
            "digest": saved.digest,
            "workspace": saved.workspace,
            "target": saved.target,
            "selection": saved.selection,
            "after": saved.after,
            "allowed": [str(one) for one in saved.allowed],
            "operations": [*operations],
            "files": members.hashes,
        }
        document["integrity"] = digest(document)
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        members.add_text("plan.json", text + "\n")


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
                    read_operation(entry, archive) for entry in document["operations"]
                ),
                allowed=tuple(map(Allowance.parse, document["allowed"])),
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

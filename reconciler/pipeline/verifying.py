"""A run as it is, compared with a bundle, or with what a workspace declares."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.annotations.digests import (
    Facts,
    Part,
    RowDifference,
    differing_rows,
    status_fields,
)
from reconciler.annotations.exported import CannotReadError
from reconciler.annotations.features import Features
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.load import find_workspace, load
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.bundle_file import Bundle
from reconciler.pipeline.declaring import run_of
from reconciler.pipeline.facts import Exported, declared_facts, exported_facts
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.uploading import prepare_uploads
from reconciler.plan.build import LOCAL
from reconciler.plan.changes import FieldChange
from reconciler.plan.fields import diff_fields
from reconciler.state.address import Address, Kind, model_address
from reconciler.state.contents import ExportParams, Survey
from reconciler.state.resources import Model, Ontology, Run
from reconciler.state.snapshot import Desired

_EVERYTHING: Final = ExportParams(predictions=True)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of a bundle that isn't what it was.

    Attributes:
        name: Its name, with `/`.
        how: `edited`, `missing` or `added`.
    """

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of a run that isn't as it should be.

    Attributes:
        part: Which.
        expected: Its digest, as it should be.
        found: Its digest, as it is.
        fields: What differs in it, from what is to what should be; of config and
            status, where both are known.
    """

    part: Part
    expected: str
    found: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What comparing has found; true when all is the same.

    Attributes:
        address: The run.
        compared: The parts that were compared.
        differences: Those that differ.
        row_count: How many data rows differ.
        rows: Up to ten of them.
        files: Files of the bundle that aren't what they were.
    """

    address: Address
    compared: tuple[Part, ...]
    differences: tuple[Difference, ...]
    row_count: int = 0
    rows: tuple[RowDifference, ...] = ()
    files: tuple[ChangedFile, ...] = ()

    def __bool__(self) -> bool:
        return not (self.differences or self.files)


def verify_files(folder: Path, bundle: Bundle) -> tuple[ChangedFile, ...]:
    """Find the files of a bundle that aren't what they were.

    A file that was added among the manifests counts, because it may declare
    something; any other doesn't.
    """
    changed = [
        ChangedFile(name, how)
        for name, expected in bundle.files.items()
        if (how := _how_changed(folder / name, expected))
    ]
    specs = folder / "specs"
    added = (
        path.relative_to(folder).as_posix()
        for path in specs.rglob("*")
        if path.is_file()
    )
    changed += [
        ChangedFile(name, "added") for name in added if name not in bundle.files
    ]
    return tuple(sorted(changed, key=lambda one: one.name))


def verify_bundle(session: Session, folder: Path, bundle: Bundle) -> Verification:
    """Compare a bundle with its files, and with the run on a remote.

    Args:
        session: The remote; what its workspace declares doesn't matter.
        folder: The bundle.
        bundle: What it says of itself.

    Raises:
        InputError: When there is no such run; says where it was looked for.
        RemoteError: When it can't be read whole.
    """
    files = verify_files(folder, bundle)
    try:
        survey, found = _read(session, bundle.address)
    except InputError as error:
        if {one.code for one in error.diagnostics} != {"not-found"}:
            raise
        raise _not_there(session, folder, error) from error
    digests = replace(found.facts, label_ids=None).digests()
    differences = _compare(bundle.digests, digests)
    done = Verification(
        address=bundle.address,
        compared=tuple(part for part in Part if part in bundle.digests),
        differences=differences,
        files=files,
    )
    # Rows of files that were edited say nothing. What was added declares nothing
    # of the run, unless it declares it twice.
    if not differences or any(one.how != "added" for one in files):
        return done
    workspace = find_workspace(folder)
    try:
        desired = load(workspace)
    except InputError:
        if files:
            return done
        raise
    declared = _declared(workspace, desired, bundle.address, survey, found)
    return _in_detail(done, declared, found.facts)


def _not_there(session: Session, folder: Path, error: InputError) -> InputError:
    workspace = session.specification.workspace
    where = session.target.endpoint
    if where == LOCAL:
        where = f"the embedded server of {workspace.root}"
    own = find_workspace(folder).root == workspace.root
    advice = f"apply {folder} first, or name " if own else "name "
    from_where = "the workspace it came from with `--workspace PATH`"
    return InputError(
        [
            replace(
                one, message=f"{where}: {one.message}", hint=f"{advice}{from_where}"
            )
            for one in error.diagnostics
        ]
    )


def verify_run(session: Session, address: Address) -> Verification:
    """Compare a run with what the workspace declares of it.

    What isn't declared is not compared.

    Raises:
        InputError: When the run isn't declared, or doesn't exist.
        RemoteError: When it can't be read whole.
    """
    if address not in session.specification.desired.resources:
        raise InputError(
            [
                Diagnostic(
                    code="not-found",
                    message=f"the manifests declare no {address}",
                    hint="name a run that they declare, or a folder that "
                    "`reconciler export` made",
                )
            ]
        )
    survey, found = _read(session, address)
    declared = _declared(
        session.specification.workspace,
        session.specification.desired,
        address,
        survey,
        found,
    )
    expected = declared.digests()
    facts = found.facts.as_said_by(declared)
    done = Verification(
        address=address,
        compared=tuple(expected),
        differences=_compare(expected, facts.digests()),
    )
    return _in_detail(done, declared, facts)


def _read(session: Session, address: Address) -> tuple[Survey, Exported]:
    survey = session.reader.survey(address)
    run = run_of(survey, address)
    batches = session.reader.run_contents(run.id, _EVERYTHING)
    try:
        return survey, exported_facts(survey, run, batches)
    except CannotReadError as error:
        raise InputError(
            [Diagnostic(code="export-unreadable", message=f"{address}: {error}")]
        ) from error


def _declared(
    workspace: Workspace,
    desired: Desired,
    address: Address,
    survey: Survey,
    found: Exported,
) -> Facts:
    run = desired.resources[address]
    model = desired.resources[model_address(survey.name)]
    assert isinstance(run, Run)
    assert isinstance(model, Model)
    ontology = desired.resources.get(model.ontology)
    kept = {
        one: resource
        for one, resource in desired.resources.items()
        if one == address or one.kind not in (Kind.RUN, Kind.PROJECT)
    }
    prepared = prepare_uploads(
        replace(desired, resources=kept),
        {model.ontology: (survey.schema, survey.media_type)},
        workspace.limits.predictions_per_job,
    )
    return declared_facts(
        run,
        ontology if isinstance(ontology, Ontology) else None,
        prepared.get(address, ()),
        Features.of(survey.schema),
        found.names,
    )


def _in_detail(done: Verification, declared: Facts, found: Facts) -> Verification:
    """Say what differs, of fields and of rows."""
    parts = {one.part for one in done.differences} & declared.said
    if declared.label_ids is not None:
        parts.discard(Part.LABELS)  # ids don't tell of which row they are
    count, rows = differing_rows(declared, found, parts)
    differences = tuple(
        replace(one, fields=_fields(one.part, found, declared))
        for one in done.differences
    )
    return replace(done, differences=differences, row_count=count, rows=rows)


def _fields(part: Part, found: Facts, declared: Facts) -> tuple[FieldChange, ...]:
    match part:
        case Part.CONFIG:
            before, after = found.config, declared.config
        case Part.STATUS:
            before = status_fields(found.status) or {}
            after = status_fields(declared.status) or {}
        case _:
            return ()
    return diff_fields({part.value: before}, {part.value: after})


def _compare(
    expected: Mapping[Part, str], found: Mapping[Part, str]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(part, expected[part], found[part])
        for part in Part
        if part in expected and expected[part] != found[part]
    )


def _how_changed(file: Path, expected: str) -> str | None:
    try:
        with file.open("rb", buffering=0) as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "missing"
    return None if found == expected else "edited"

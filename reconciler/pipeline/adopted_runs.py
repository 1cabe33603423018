"""The runs of a model that exist, written as manifests, each if it can be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.manifest.dump import dump
from reconciler.manifest.load import load
from reconciler.manifest.locks import file_name
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.declaring import (
    check_names,
    mask_notices,
    run_document,
)
from reconciler.pipeline.folders import (
    Folder,
    folded,
    told_apart,
)
from reconciler.pipeline.run_files import (
    COLUMNS,
    SPLIT,
    Names,
    RunFiles,
    write_run_files,
)
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.uploading import prepare_uploads
from reconciler.plan.changes import Notice
from reconciler.rows.lock_labels import labels_header, labels_lines
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.contents import ExportParams, Survey, SurveyedRun
from reconciler.state.resources import Model, RowIdentity
from reconciler.state.snapshot import Desired
from reconciler.state.uploads import Family, Slot, Uploaded

_EVERYTHING: Final = ExportParams(predictions=True)
MODEL_FILE: Final = "model"
"""What the file of the model is called, without its ending."""

_OF_ONE_RUN: Final = frozenset({"export-unreadable", "not-declarable"})
"""What is wrong with a run on the remote, and not with where it is written."""


@dataclass
class Written:
    """The runs of a model that were written, and those that can't be.

    Attributes:
        ids: Of those that were written.
        files: What was written of each.
        told: What is worth saying of each.
        odd: What is the matter with the others.
    """

    ids: dict[Address, RemoteId] = field(default_factory=dict)
    files: dict[Address, frozenset[str]] = field(default_factory=dict)
    told: dict[Address, list[Notice]] = field(default_factory=dict)
    odd: dict[Address, Diagnostic] = field(default_factory=dict)

    def skip(self, run: Address, folder: Folder, error: Diagnostic) -> None:
        """Take a run back, with its files."""
        for name in self.files.pop(run, ()):
            folder.drop(name)
        self.ids.pop(run, None)
        self.told.pop(run, None)
        self.odd[run] = _without_place(error, run)

    def notices(self) -> Iterator[Notice]:
        """Say what is worth saying of all of them."""
        for told in self.told.values():
            yield from told
        for run, why in self.odd.items():
            yield Notice(code="run-skipped", address=run, message=why.message)


def write_runs(
    session: Session,
    folder: Folder,
    under: str,
    survey: Survey,
    runs: Sequence[SurveyedRun],
) -> Written:
    """Write all runs that can be declared, each to files of its own."""
    written = Written()
    there = folder.root / under
    taken = {folded(MODEL_FILE)}
    known = {one.stem for one in there.glob("*.yaml")} if there.is_dir() else set()
    for run in runs:
        address = run_address(survey.name, run.name)
        # What has just this name is in the way, and that is an error.
        others = {folded(one) for one in known if one != file_name(run.name)}
        base = told_apart(run.name, taken | others)
        taken.add(folded(base))
        before = frozenset(folder.hashes)
        try:
            check_names(survey, run)
            told = list(_adopt_run(session, folder, f"{under}/{base}", survey, run))
        except InputError as error:
            written.files[address] = frozenset(folder.hashes) - before
            if not all(one.code in _OF_ONE_RUN for one in error.diagnostics):
                raise
            written.skip(address, folder, error.diagnostics[0])
            continue
        written.files[address] = frozenset(folder.hashes) - before
        written.ids[address] = run.id
        written.told[address] = told
    return written


def settled(
    session: Session, folder: Folder, survey: Survey, written: Written
) -> tuple[Desired, dict[tuple[Address, Family], dict[Slot, Uploaded]]]:
    """Check what was written as any manifest is, leaving out runs that fail.

    Raises:
        InputError: When it is no run that is to blame; it names no file that is
            about to go.
    """
    workspace = session.specification.workspace
    while True:
        try:
            after = declared_in(workspace)
            return after, _sent(after, survey, workspace, written.ids)
        except InputError as error:
            blamed = {
                run: one
                for one in reversed(error.diagnostics)
                for run, files in written.files.items()
                if one.span is not None and one.span.file in files
            }
            if not blamed:
                model = model_address(survey.name)
                raise InputError(
                    [
                        _without_place(one, model)
                        if one.span and one.span.file in folder.hashes
                        else one
                        for one in error.diagnostics
                    ]
                ) from error
            for run, one in blamed.items():
                written.skip(run, folder, one)


def _without_place(error: Diagnostic, address: Address) -> Diagnostic:
    """Say what is wrong with an object that exists, not where in our files."""
    told = str(address) in error.message
    return Diagnostic(
        code=error.code,
        message=error.message
        if told
        else f"{address} can't be declared: {error.message}",
        hint=error.hint if error.code == "not-declarable" else None,
    )


def _adopt_run(
    session: Session, folder: Folder, at: str, survey: Survey, run: SurveyedRun
) -> Iterator[Notice]:
    address = run_address(survey.name, run.name)
    under, _, base = at.rpartition("/")
    names = Names(
        rows=f"{under}/{base}.rows.csv",
        predictions=f"{under}/{base}.predictions.ndjson",
        metrics=f"{under}/{base}.metrics.ndjson",
    )
    done = _write(session, folder, names, survey, run)
    labels = _write_labels(session, folder, under, base, done)
    by_name: JsonObject = {"file": f"{base}.rows.csv", "column": COLUMNS[done.by]}
    rows: JsonValue = (
        {f"{done.by.value}s": by_name, "splits": {"column": SPLIT}} if done.rows else []
    )
    said = run_document(
        survey,
        run,
        rows=rows,
        labels=labels,
        predictions=_source(f"{base}.predictions.ndjson", done.counts["predictions"]),
        metrics=_source(f"{base}.metrics.ndjson", done.counts["metrics"]),
    )
    folder.write(f"{under}/{base}.yaml", dump([said]).encode())
    yield from mask_notices(address, done)
    if nameless := done.counts["nameless"]:
        yield Notice(
            code="predictions-without-uuid",
            address=address,
            message=f"the remote gives no uuids of {counted(nameless, 'prediction')}: "
            "once changed, they would be added beside those that are there",
        )
    if done.by is RowIdentity.DATA_ROW_ID:
        yield Notice(
            code="rows-by-id",
            address=address,
            message="some data rows have no global key, so that all are named by id, "
            "which means something in this organisation only",
        )


def _source(file: str, count: int) -> JsonValue:
    return [{"file": file}] if count else None


def _write(
    session: Session, folder: Folder, names: Names, survey: Survey, run: SurveyedRun
) -> RunFiles:
    """Write the files of a run by global key, or by id where a row has no key."""
    for by in RowIdentity:
        done = write_run_files(
            session.reader.run_contents(run.id, _EVERYTHING),
            folder,
            names,
            by=by,
            media_type=survey.media_type,
        )
        if not done.unnamed:
            return done
        for name in (names.rows, names.predictions, names.metrics):
            folder.drop(name)
    raise AssertionError("every data row has an id")


def _write_labels(
    session: Session, folder: Folder, under: str, base: str, done: RunFiles
) -> JsonValue:
    if not done.labels:
        return None
    if done.by is RowIdentity.DATA_ROW_ID:  # locks name rows by global key
        ids = sorted(pin.label_id for pin in done.labels if pin.label_id is not None)
        text = "".join(f"{one}\n" for one in ids)
        folder.write(f"{under}/{base}.labels.txt", text.encode())
        return {"labelIds": {"file": f"{base}.labels.txt"}}
    labels = {pin.row: pin for pin in done.labels}
    header = labels_header(
        project=None,
        endpoint=session.target.endpoint,
        organisation=session.target.organisation,
        labels=labels,
    )
    lock = f"locks/{base}.labels.lock"
    folder.write(f"{under}/{lock}", "".join(labels_lines(header, labels)).encode())
    return {"lock": lock}


def _sent(
    after: Desired,
    survey: Survey,
    workspace: Workspace,
    adopted: Mapping[Address, RemoteId],
) -> dict[tuple[Address, Family], dict[Slot, Uploaded]]:
    """Say of what was written that it was sent, for it is there."""
    model = model_address(survey.name)
    kept = {
        address: resource
        for address, resource in after.resources.items()
        if address in adopted or address.kind not in (Kind.RUN, Kind.PROJECT)
    }
    declared = after.resources[model]
    assert isinstance(declared, Model)
    prepared = prepare_uploads(
        replace(after, resources=kept),
        {declared.ontology: (survey.schema, survey.media_type)},
        workspace.limits.predictions_per_job,
    )
    return {
        (address, uploads.family): {
            chunk.slot: Uploaded(
                digest=chunk.digest,
                generation=1,
                finished=True,
                parent=adopted[address],
                marks=chunk.marks,
            )
            for chunk in uploads.chunks
        }
        for address, families in prepared.items()
        if address in adopted
        for uploads in families
    }


def declared_in(workspace: Workspace) -> Desired:
    """Load a workspace, which may have no manifests yet.

    Raises:
        InputError: With every problem of every manifest.
    """
    try:
        return load(workspace)
    except InputError as error:
        if {one.code for one in error.diagnostics} != {"no-manifests"}:
            raise
        return Desired(resources={})

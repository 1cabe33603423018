"""Runs that exist to manifests of a workspace, after which a plan is empty."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.dump import dump
from reconciler.manifest.dump_documents import document, ontology_document
from reconciler.manifest.load import find_workspace
from reconciler.manifest.locks import file_name
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.adopted_runs import (
    MODEL_FILE,
    declared_in,
    settled,
    write_runs,
)
from reconciler.pipeline.declaring import (
    check_names,
    known_ontology,
    ontology_notices,
)
from reconciler.pipeline.folders import (
    added_files,
    folded,
    told_apart,
)
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.workspaces import Specification
from reconciler.plan.changes import Notice
from reconciler.state.address import (
    Address,
    Kind,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject
from reconciler.state.contents import Survey
from reconciler.state.snapshot import Desired


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What was adopted.

    Attributes:
        addresses: What is declared now, and wasn't before.
        files: What was written, relative to the workspace, with `/`.
        skipped: Runs that were declared already.
        notices: What is worth saying.
    """

    addresses: tuple[Address, ...]
    files: tuple[str, ...]
    skipped: tuple[Address, ...]
    notices: tuple[Notice, ...]


def specify_for_adoption(path: Path) -> Specification:
    """Load the workspace that a path belongs to, which may have no manifests yet.

    Raises:
        InputError: With every problem of every manifest.
    """
    workspace = find_workspace(path)
    return Specification(workspace, declared_in(workspace), None, None)


def adopt(session: Session, address: Address, *, to: Path | None = None) -> Adoption:
    """Write manifests for what exists, and remember what of it was uploaded.

    Nothing on the remote is changed, and no file is written over. What the
    workspace declares already is left as it is. Of a model, runs that can't be
    declared are left out, with a notice that says why.

    Args:
        session: The workspace and its remote, for reading.
        address: A model, with all its runs, or one run.
        to: Folder for the files, in a folder of manifests of the workspace; one
            named after the model unless given.

    Raises:
        InputError: When the address is declared already, there is none on the
            remote, a file is in the way, or not all of it can be declared.
        RemoteError: When it can't be read whole.
    """
    workspace, before = session.specification.workspace, session.specification.desired
    if address.kind is Kind.RUN and address in before.resources:
        raise _declared_already(address, before)
    survey = session.reader.survey(address)
    runs = [
        run
        for run in survey.runs
        if run_address(survey.name, run.name) not in before.resources
    ]
    model = model_address(survey.name)
    if not runs and not survey.odd and model in before.resources:
        raise _declared_already(address, before)
    check_names(survey, *(runs if address.kind is Kind.RUN else ()))
    under = _folder(workspace, to, survey)
    notices: list[Notice] = []
    with added_files(workspace.root) as folder:
        if parents := list(_parents(survey, before)):
            if known_ontology(survey).address not in before.resources:
                notices += ontology_notices(survey)
            folder.write(f"{under}/{MODEL_FILE}.yaml", dump(parents).encode())
        written = write_runs(session, folder, under, survey, runs)
        after, sent = settled(session, folder, survey, written)
        if address.kind is Kind.RUN and written.odd:
            raise InputError(list(written.odd.values()))
        session.ledger.remember_uploads(sent)
    return Adoption(
        addresses=tuple(one for one in after.resources if one not in before.resources),
        files=tuple(sorted(folder.hashes)),
        skipped=tuple(
            run_address(survey.name, run.name) for run in survey.runs if run not in runs
        ),
        notices=(*notices, *written.notices(), *_unread(survey)),
    )


def _unread(survey: Survey) -> Iterator[Notice]:
    for one in survey.odd:
        yield Notice(
            code="run-skipped",
            address=run_address(survey.name, one.name),
            message=one.why,
        )


def _declared_already(address: Address, desired: Desired) -> InputError:
    return InputError(
        [
            Diagnostic(
                code="repeated-name",
                message=f"{address} is declared already",
                span=desired.origins.get(address),
                hint="run `reconciler plan` to see how the remote differs",
            )
        ]
    )


def _folder(workspace: Workspace, to: Path | None, survey: Survey) -> str:
    """Find where files go: in a folder of manifests, with `/`."""
    if to is None:
        above = workspace.root / workspace.folders[0]
        known = {one.name for one in above.iterdir()} if above.is_dir() else set()
        others = {folded(one) for one in known if one != file_name(survey.name)}
        return f"{workspace.folders[0]}/{told_apart(survey.name, others)}"
    root = os.path.realpath(workspace.root)
    inside = os.path.relpath(os.path.realpath(to), root).replace(os.sep, "/")
    parts = inside.split("/")
    within = any(
        folder in (".", inside) or inside.startswith(f"{folder}/")
        for folder in workspace.folders
    )
    if ".." in parts or not within or any(one.startswith(".") for one in parts):
        folders = ", ".join(workspace.folders)
        raise InputError(
            [
                Diagnostic(
                    code="file-outside",
                    message=f"{to} is in no folder of manifests of this workspace",
                    hint=f"manifests are read from {folders}",
                )
            ]
        )
    return inside


def _parents(survey: Survey, before: Desired) -> Iterator[JsonObject]:
    ontology = known_ontology(survey)
    if ontology.address not in before.resources:
        yield ontology_document(ontology)
    if model_address(survey.name) not in before.resources:
        yield document("Model", name=survey.name, ontology=survey.ontology_name)

"""A run that exists to the documents that declare it, and what to say of them."""

from collections.abc import Iterator

from reconciler.annotations.digests import status_fields
from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.manifest.dump_documents import can_be_declared, document
from reconciler.manifest.fields import name_objection
from reconciler.pipeline.run_files import RunFiles
from reconciler.plan.changes import Notice
from reconciler.state.address import (
    Address,
    Kind,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.contents import Survey, SurveyedRun
from reconciler.state.resources import Ontology


def run_of(survey: Survey, address: Address) -> SurveyedRun:
    """Take the one run of a survey that was asked for."""
    return next(run for run in survey.runs if run.name == address.name)


def check_names(survey: Survey, *runs: SurveyedRun) -> None:
    """Make sure that a model, and runs of it, can be named in manifests.

    Raises:
        InputError: When one of them can't.
    """
    named = [
        (model_address(survey.name), survey.name),
        (Address(Kind.ONTOLOGY, (survey.ontology_name,)), survey.ontology_name),
        *((run_address(survey.name, run.name), run.name) for run in runs),
    ]
    if wrong := [
        Diagnostic(
            code="not-declarable",
            message=f"{address} can't be declared: a name {why}",
            hint="rename it on the remote",
        )
        for address, name in named
        if (why := name_objection(name))
    ]:
        raise InputError(wrong)


def run_document(survey: Survey, run: SurveyedRun, **files: JsonValue) -> JsonObject:
    """Declare a run.

    Args:
        survey: Its model.
        run: The run.
        files: The fields that say where rows, labels, predictions and metrics
            are; None for those that it doesn't have.
    """
    return document(
        "ModelRun",
        model=survey.name,
        name=run.name,
        config=run.config,
        **files,
        status=status_fields(run.status),
    )


def known_ontology(survey: Survey) -> Ontology:
    """Take the ontology of a model that exists, for declaring it.

    One that can't be declared is only referred to.
    """
    whole = Ontology(survey.ontology_name, survey.media_type, survey.schema)
    return whole if can_be_declared(whole) else Ontology(survey.ontology_name)


def ontology_notices(survey: Survey) -> Iterator[Notice]:
    """Say that an ontology is only referred to, if it is."""
    ontology = known_ontology(survey)
    if ontology.schema is None:
        yield Notice(
            code="ontology-referred-to",
            address=ontology.address,
            message="it has what manifests can't declare, and is only referred to: "
            "it must exist before the run",
        )


def mask_notices(
    address: Address, done: RunFiles, advice: str = ""
) -> Iterator[Notice]:
    """Say how many masks stay where they are."""
    ending = done.counts["masks at home"]
    if masks := done.counts["masks"] - ending:
        yield Notice(
            code="masks-at-urls",
            address=address,
            message=f"{counted(masks, 'mask')} stay at URLs, which may end{advice}",
        )
    if ending:
        yield Notice(
            code="masks-at-urls",
            address=address,
            message=f"{counted(ending, 'mask')} will not be there elsewhere: their "
            f"URLs are of this remote, and end{advice}",
        )

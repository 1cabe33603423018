"""A model or run that no manifest speaks of yet: found by name, and described."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ports import Malformed, NotFound
from reconciler.remote.finding import (
    Named,
    models_named,
    ontology_by_id,
    runs_of,
)
from reconciler.remote.payloads import ModelNode, RunNode
from reconciler.remote.session import Session, in_parallel
from reconciler.remote.statuses import read_status
from reconciler.state.address import Address, Kind, RemoteId, model_address, run_address
from reconciler.state.contents import OddRun, Survey, SurveyedRun

N = TypeVar("N", bound=Named)


def survey(session: Session, address: Address) -> Survey:
    """Find a model with all its runs, or with one; see `ports.Reader.survey`."""
    model_name = address.path[0]
    found = models_named(session, model_name)
    model = _one(model_address(model_name), found)
    if model.ontology_id is None:
        raise Malformed(f"{model_address(model_name)} has no ontology")
    ontology = ontology_by_id(session, model.ontology_id)
    if ontology is None:
        raise NotFound(f"there is no ontology {model.ontology_id}")
    current = ontology.current()
    chosen = _chosen(address, model, runs_of(session, model.id))
    alone = address.kind is Kind.RUN
    runs = in_parallel([partial(_run, session, model, one, alone) for one in chosen])
    return Survey(
        id=RemoteId(model.id),
        name=model.name,
        ontology_id=current.id,
        ontology_name=current.name,
        media_type=current.media_type,
        schema=current.schema,
        runs=tuple(one for one in runs if isinstance(one, SurveyedRun)),
        odd=tuple(one for one in runs if isinstance(one, OddRun)),
    )


def _chosen(
    address: Address, model: ModelNode, listed: Sequence[RunNode]
) -> list[RunNode]:
    """Choose the runs that are meant; an address must mean one run only."""
    by_name: dict[str, list[RunNode]] = {}
    for node in listed:
        by_name.setdefault(node.name, []).append(node)
    if address.kind is Kind.RUN:
        return [_one(address, by_name.get(address.name, []))]
    if problems := [
        _ambiguous(run_address(model.name, name), nodes)
        for name, nodes in by_name.items()
        if len(nodes) > 1
    ]:
        raise InputError(problems)
    return sorted(listed, key=lambda node: node.name)


def _run(
    session: Session,
    model: ModelNode,
    node: RunNode,
    alone: bool,  # noqa: FBT001  # bound by position
) -> SurveyedRun | OddRun:
    address = run_address(model.name, node.name)
    try:
        return SurveyedRun(
            id=RemoteId(node.id),
            name=node.name,
            config=node.current(address, managed=True).config,
            status=read_status(session, RemoteId(node.id)),
        )
    except Malformed as error:
        if alone:
            raise
        return OddRun(node.name, str(error))


def _one(address: Address, found: Sequence[N]) -> N:
    match found:
        case [only]:
            return only
        case []:
            message = f"there is no {address.kind} called {address.name!r}"
            if address.kind is Kind.RUN:
                message += f" in model {address.path[0]!r}"
            raise InputError([Diagnostic("not-found", message, hint="check the name")])
        case several:
            raise InputError([_ambiguous(address, several)])


def _ambiguous(address: Address, found: Sequence[Named]) -> Diagnostic:
    ids = ", ".join(sorted(node.id for node in found))
    return Diagnostic(
        "ambiguous-name",
        f"{len(found)} {address.kind}s are called {address.name!r}: {ids}",
        hint="rename those that are not meant",
    )

"""Runs as manifests declare them: one document may be several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.document import Document
from reconciler.manifest.imports import ImportBuilder
from reconciler.manifest.matrix import check_paths
from reconciler.manifest.schema import ModelRunManifest, StatusShape
from reconciler.manifest.select import Files
from reconciler.manifest.variants import Variant, lay
from reconciler.state.canonical import JsonObject, JsonValue, canonical_object
from reconciler.state.labels import Labels
from reconciler.state.resources import Membership, Run, RunStatus, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all runs of a document have in common.

    Attributes:
        config: What the values of axes are laid over; None leaves it alone.
        rows: Members and splits.
    """

    config: JsonObject | None
    rows: Membership | None


def read_runs(
    files: Files,
    document: Document,
    manifest: ModelRunManifest,
    variants: Sequence[Variant],
    *,
    shared: Shared,
    labels: Callable[[Variant], Labels | None],
) -> tuple[Sequence[Run], tuple[Diagnostic, ...]]:
    """Turn a manifest into its runs, and say what is wrong with any of them.

    Args:
        files: The files of the workspace.
        document: Where it is written.
        manifest: What it says.
        variants: The runs that it declares.
        shared: What they have in common.
        labels: Finds the ground truth of one of them.
    """
    problems: list[Diagnostic] = []
    if manifest.matrix:
        problems = list(check_paths(document, manifest.matrix, shared.config or {}))
    builder = ImportBuilder(files, document)
    runs = [
        Run(
            model=manifest.model,
            name=variant.address.name,
            config=_config(variant, shared.config),
            rows=shared.rows,
            labels=labels(variant),
            predictions=None
            if manifest.predictions is None
            else builder.line_files(
                manifest.predictions, "predictions", variant.values
            ),
            metrics=None
            if manifest.metrics is None
            else builder.metrics(manifest.metrics, variant.values),
            status=read_status(manifest.status),
        )
        for variant in variants
    ]
    return runs, (*problems, *builder.problems)


def _config(variant: Variant, base: JsonObject | None) -> JsonObject | None:
    if not variant.values:
        return base
    return canonical_object(lay(variant.values, base or {}))


def read_status(shape: str | StatusShape | None) -> RunStatus | None:
    """Read how far a run's training has come."""
    match shape:
        case None:
            return None
        case str():
            return RunStatus(Status(shape), {})
        case StatusShape():
            return RunStatus(
                Status(shape.status),
                canonical_object(shape.metadata),
                shape.error_message,
            )


def merge(base: JsonObject, over: Mapping[str, JsonValue]) -> JsonObject:
    """Lay a config over another: mappings merge at any depth, the rest is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged

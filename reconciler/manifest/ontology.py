"""Ontologies as they are written to the API's normalized form.

The canonical form, which both sides of a diff are brought to, has no ids, no
colours and no nulls; every field stands in every object, and lists keep their
order, because people see it:

    {"tools": [TOOL, …], "classifications": [CLASSIFICATION, …]}

    TOOL            {"tool", "name", "required",
                     "classifications": [INNER, …]}
    CLASSIFICATION  INNER and "scope", "global" unless something else is said
    INNER           {"type", "name", "instructions", "required",
                     "options": [OPTION, …]}
    OPTION          {"value", "label", "options": [INNER, …]}

`instructions` is the name and `label` is the value unless something else is
said, `required` is false. What hangs on an option is called `options` by the
API, though it is classifications. Where the remote leaves a field out or says
null, it means these same defaults.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.schema import (
    ClassificationShape,
    InnerClassificationShape,
    OntologyManifest,
    OptionShape,
    ToolShape,
)
from reconciler.state.canonical import JsonObject, canonical_object
from reconciler.state.resources import Ontology

Path: TypeAlias = tuple[str | int, ...]


def read_ontology(manifest: OntologyManifest) -> Ontology:
    """Turn a manifest into an ontology, or into a reference to one."""
    if manifest.tools is None and manifest.classifications is None:
        schema = None
    else:
        schema = canonical_object(
            {
                "tools": [_tool(tool) for tool in manifest.tools or ()],
                "classifications": [
                    {**_inner(asked), "scope": asked.scope}
                    for asked in manifest.classifications or ()
                ],
            }
        )
    return Ontology(manifest.name, manifest.media_type, schema)


def _tool(tool: ToolShape) -> JsonObject:
    return {
        "tool": tool.tool,
        "name": tool.name,
        "required": tool.required,
        "classifications": [_inner(asked) for asked in tool.classifications],
    }


def _inner(asked: InnerClassificationShape) -> JsonObject:
    return {
        "type": asked.type,
        "name": asked.name,
        "instructions": asked.instructions or asked.name,
        "required": asked.required,
        "options": [_option(option) for option in asked.options],
    }


def _option(option: str | OptionShape) -> JsonObject:
    if isinstance(option, str):
        return {"value": option, "label": option, "options": []}
    return {
        "value": option.value,
        "label": option.label or option.value,
        "options": [_inner(asked) for asked in option.classifications],
    }


def check_ontology(
    document: Document, manifest: OntologyManifest
) -> Iterator[Diagnostic]:
    """Find names that are used twice where annotations couldn't tell them apart."""
    tools = manifest.tools or ()
    yield from _twice(document, ("tools",), "tool", [tool.name for tool in tools])
    for number, tool in enumerate(tools):
        path = ("tools", number, "classifications")
        yield from _check_classifications(document, path, tool.classifications)
    yield from _check_classifications(
        document, ("classifications",), manifest.classifications or ()
    )


def _check_classifications(
    document: Document,
    path: Path,
    asked: Sequence[ClassificationShape] | Sequence[InnerClassificationShape],
) -> Iterator[Diagnostic]:
    yield from _twice(document, path, "classification", [each.name for each in asked])
    for number, each in enumerate(asked):
        options = (*path, number, "options")
        values = [
            option if isinstance(option, str) else option.value
            for option in each.options
        ]
        yield from _twice(document, options, "option", values)
        for position, option in enumerate(each.options):
            if isinstance(option, OptionShape):
                inner = (*options, position, "classifications")
                yield from _check_classifications(
                    document, inner, option.classifications
                )


def _twice(
    document: Document, path: Path, what: str, names: Iterable[str]
) -> Iterator[Diagnostic]:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        before = first.setdefault(name, number)
        if before != number:
            yield Diagnostic(
                code="wrong-value",
                message=f"the {what} {name!r} is there twice",
                span=_name_span(document, (*path, number)),
                related=((_name_span(document, (*path, before)), "first here"),),
            )


def _name_span(document: Document, path: Path) -> Span:
    name = document.span((*path, "name"))
    return name if name != document.span(path) else document.span((*path, "value"))

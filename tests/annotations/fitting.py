"""An ontology that has something of every kind, and what reads with it."""

from typing import Any, Final

from reconciler.annotations.checking import Checker
from reconciler.annotations.features import Features
from reconciler.annotations.rules import Purpose, Rules

POINT_ID: Final = "c" * 25
MASK_ID: Final = "m" * 25


def tool(kind: str, name: str, *asked: object, **more: object) -> dict[str, Any]:
    return {"tool": kind, "name": name, "classifications": list(asked), **more}


def asks(kind: str, name: str, *options: object, **more: object) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "instructions": name,
        "options": list(options),
        **more,
    }


def option(value: object, *asked: object, **more: object) -> dict[str, Any]:
    return {"value": value, "label": value, "options": list(asked), **more}


ONTOLOGY: Final = {
    "tools": [
        tool(
            "rectangle",
            "cat",
            asks("radio", "breed", option("tabby"), option("orange")),
            asks("text", "nickname"),
        ),
        tool("polygon", "poly"),
        tool("line", "line"),
        tool("point", "pt", featureSchemaId=POINT_ID, schemaNodeId="n" * 25),
        tool("named-entity", "ent"),
        tool("raster-segmentation", "mask", featureSchemaId=MASK_ID),
        tool("edge", "rel"),
        tool("message-single-selection", "best"),
        tool("message-multi-selection", "good"),
        tool("message-ranking", "order"),
        tool("rectangle", "twice"),
        tool("rectangle", "twice"),
        tool("point", "both"),
        tool("line", "both"),
        tool("marker", "new"),
    ],
    "classifications": [
        asks(
            "radio",
            "radio_q",
            option("a", asks("radio", "sub", option("suba"), option("subb"))),
            option("b", label="the second"),
            option(3),
        ),
        asks(
            "checklist",
            "check_q",
            option("x", asks("checklist", "subc", option("s1"))),
            option("y"),
            option("same", featureSchemaId="1" * 25),
            option("same", featureSchemaId="2" * 25),
        ),
        asks("text", "free_text"),
        asks("radio", "old", instructions="What is it?", featureSchemaId="q" * 25),
        asks("prompt", "prompt_q"),
    ],
}

FEATURES: Final = Features.of(ONTOLOGY)


def checker(
    media_type: str | None = None,
    *,
    purpose: Purpose = Purpose.PREDICTION,
    rules: Rules | None = None,
) -> Checker:
    return Checker(FEATURES, media_type, rules or Rules(), purpose)

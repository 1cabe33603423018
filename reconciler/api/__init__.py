"""The wire between client and twin, as data that neither of them owns."""

from importlib import resources


def __getattr__(name: str) -> str:
    # Read when first asked for, so that importing the package costs nothing.
    if name == "SCHEMA":
        text = _schema()
        globals()[name] = text
        return text
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def _schema() -> str:
    folder = resources.files(__name__).joinpath("schema")
    parts = sorted(folder.iterdir(), key=lambda part: part.name)
    return "\n".join(part.read_text("utf-8") for part in parts)

"""JSON in columns: kept as text, and handed out as it came in."""

import msgspec


def as_text(value: object) -> str:
    """Write what a column keeps."""
    return msgspec.json.encode(value).decode()


def as_json(text: str | None) -> msgspec.Raw | None:
    """Hand out what a column keeps, without reading it."""
    return None if text is None else msgspec.Raw(text.encode())

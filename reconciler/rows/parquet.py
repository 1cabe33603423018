"""Parquet files to rows; DuckDB is imported only when one is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_BATCH: Final = 10_000


class NotParquetError(ValueError):
    """The bytes are no Parquet; the message is DuckDB's."""


def rows(file: Path) -> Iterator[dict[str, object]]:
    """Go through the rows, each by column in the order of the file.

    Raises:
        OSError: When the file can't be opened.
        NotParquetError: When it isn't Parquet.
    """
    import duckdb  # slow, and needed for no other format

    from reconciler.rows import tables  # imports duckdb

    with file.open("rb"):
        pass  # for the system's own words when it can't be read
    with tables.cursor() as cursor:
        try:
            cursor.execute(
                f"SELECT * FROM read_parquet(?, {tables.AS_IT_IS})",  # noqa: S608
                [tables.literal(file)],
            )
            columns = [column[0] for column in cursor.description or ()]
            while batch := cursor.fetchmany(_BATCH):
                for values in batch:
                    yield dict(zip(columns, values, strict=True))
        except (duckdb.Error, ValueError) as error:
            raise NotParquetError(str(error).partition("\n")[0]) from error

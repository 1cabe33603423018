"""A membership in SQLite, with nothing around it: keys in, rows of a run out.

sqlite_rows.py COUNT BATCHES
"""

import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

count, batches = map(int, sys.argv[1:])
keys = [f"row-{number:07}" for number in range(count)]
with tempfile.TemporaryDirectory() as folder:
    db = sqlite3.connect(Path(folder) / "rows.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE data_rows (pk INTEGER PRIMARY KEY, key TEXT UNIQUE)")
    db.execute(
        "CREATE TABLE run_rows (run_pk INTEGER, row_pk INTEGER, split INTEGER,"
        " PRIMARY KEY (run_pk, row_pk)) WITHOUT ROWID"
    )
    db.execute("BEGIN")
    db.executemany("INSERT INTO data_rows (key) VALUES (?)", ((key,) for key in keys))
    db.execute("COMMIT")
    began = time.perf_counter()
    size = -(-count // batches)
    for start in range(0, count, size):
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "INSERT INTO run_rows SELECT 1, data_rows.pk, 3 FROM json_each(?) AS names"
            " JOIN data_rows ON data_rows.key = names.value WHERE true"
            " ON CONFLICT DO NOTHING",
            [json.dumps(keys[start : start + size])],
        )
        db.execute("COMMIT")
    took = time.perf_counter() - began
    [found] = db.execute("SELECT count(*) FROM run_rows").fetchone()
    assert found == count
    db.close()
print(json.dumps({"seconds": took}))

"""The shortest script that brings the same runs into being, by Labelbox's SDK.

sdk.py URL KEY MODEL RUNS.json ROWS.csv [check]

With `check` it also makes sure that it did, as an apply always does.
"""

import csv
import json
import sys
from pathlib import Path

from labelbox import Client  # type: ignore[import-untyped]

url, key, model_id, runs, rows, *check = sys.argv[1:]
client = Client(api_key=key, endpoint=f"{url}/graphql", enable_experimental=True)
model = client.get_model(model_id)
splits: dict[str, list[str]] = {}
with Path(rows).open(newline="") as file:
    for row in csv.DictReader(file):
        splits.setdefault(row["split"], []).append(row["key"])
for name, config in json.loads(Path(runs).read_text()).items():
    run = model.create_model_run(name, config)
    run.upsert_data_rows(global_keys=[key for keys in splits.values() for key in keys])
    for split, keys in splits.items():
        run.assign_data_rows_to_split(split=split, global_keys=keys)
    if check:
        found = {
            row.data_row().global_key: row.data_split.value
            for row in run.model_run_data_rows()
        }
        wanted = {key: split for split, keys in splits.items() for key in keys}
        assert found == wanted
        assert run.get_config() == config

"""The shortest script that sends predictions, by Labelbox's SDK.

sdk_send.py URL KEY RUN LINES.ndjson as-it-is|awake

`awake` doesn't sleep between the looks at the job, for which the SDK takes 10 s.
"""

import json
import sys
import time
from pathlib import Path

from labelbox import Client  # type: ignore[import-untyped]

url, key, run_id, lines, waits = sys.argv[1:]
if waits == "awake":
    sleep = time.sleep
    time.sleep = lambda _: sleep(0.05)
client = Client(api_key=key, endpoint=f"{url}/graphql", enable_experimental=True)
predictions = [json.loads(line) for line in Path(lines).read_text().splitlines()]
job = client.get_model_run(run_id).add_predictions("bench", predictions)
job.wait_until_done()
assert job.errors == []

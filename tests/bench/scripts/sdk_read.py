"""The rows of a run as Labelbox's SDK reads them, and its requests alone.

sdk_read.py URL KEY RUN
"""

import http.client
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from labelbox import Client  # type: ignore[import-untyped]

url, api_key, run_id = sys.argv[1:]
client = Client(api_key=api_key, endpoint=f"{url}/graphql")
run = client.get_model_run(run_id)
asked: list[bytes] = []
execute = client.execute


def remember(query: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
    """Send a request, and keep what was sent."""
    asked.append(json.dumps({"query": query, "variables": params}).encode())
    return execute(query, params, **more)


client.execute = remember
began = time.perf_counter()
rows = sum(1 for _ in run.model_run_data_rows())
sdk = time.perf_counter() - began
pages = [body for body in asked if b"annotationGroups" in body]
assert rows

connection = http.client.HTTPConnection(urlsplit(url).netloc)
headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
began = time.perf_counter()
for page in pages:
    connection.request("POST", "/graphql", page, headers)
    json.loads(connection.getresponse().read())
bare = time.perf_counter() - began
print(json.dumps({"sdk": sdk, "bare": bare, "pages": len(pages), "rows": rows}))

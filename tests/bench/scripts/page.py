"""What a page of 100 rows, as Labelbox's SDK asks for it, costs the server.

page.py STORE RUN

Calls the application itself: no socket, no HTTP, no client.
"""

import io
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from labelbox.orm import query  # type: ignore[import-untyped]
from labelbox.orm.model import Entity  # type: ignore[import-untyped]

from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store

TIMES = 300
store, run = sys.argv[1:]
fields = query.results_query_part(Entity.ModelRunDataRow)
body = json.dumps(
    {
        "query": f"""query Page($run: ID!, $from: String, $first: Int) {{
          annotationGroups(
            where: {{ modelRunId: {{ id: $run }} }}, after: $from, first: $first
          ) {{ nodes {{ {fields} }} pageInfo {{ endCursor }} }}
        }}""",
        "variables": {"run": run, "from": None, "first": 100},
    }
).encode()
taken = []
answer = b""
with open_store(Path(store)) as opened:
    app = make_app(opened, ServerSettings(), frozenset({"key"}))
    for _ in range(TIMES):
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/graphql",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": "Bearer key",
            "HTTP_HOST": "bench.test",
            "SERVER_NAME": "bench.test",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        began = time.perf_counter()
        answer = b"".join(app(environ, lambda *_: lambda _: None))
        taken.append(time.perf_counter() - began)
    assert len(json.loads(answer)["data"]["annotationGroups"]["nodes"]) == 100
print(json.dumps({"page": statistics.median(taken)}))

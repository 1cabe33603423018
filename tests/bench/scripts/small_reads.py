"""Small reads of a server, and as many answers that cost it nothing.

small_reads.py URL KEY RUN COUNT THREADS
"""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from reconciler.api import documents

url, api_key, run, count, threads = sys.argv[1:]
HEADERS = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
BODY = json.dumps(
    {"query": documents.RUN_CONFIG.text, "variables": {"modelRunId": run}}
).encode()


def ask(method: str, path: str, times: int) -> None:
    """Send the same request again and again over one connection."""
    body = BODY if method == "POST" else None
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    for _ in range(times):
        connection.request(method, path, body, HEADERS)
        connection.getresponse().read()
    connection.close()


def timed(method: str, path: str) -> float:
    """Measure all requests of one kind, in several threads."""
    each = int(count) // int(threads)
    began = time.perf_counter()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(ask, method, path, each) for _ in range(int(threads))]:
            done.result()
    return time.perf_counter() - began


timed("GET", "/nothing")
print(json.dumps({"bare": timed("GET", "/nothing"), "ask": timed("POST", "/graphql")}))

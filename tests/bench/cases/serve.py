"""The server alone, next to what it is made of."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from reconciler.api import documents
from tests.bench.data import Remote, filled, key
from tests.bench.processes import KEY, measure, script
from tests.bench.setting import Setting
from tests.bench.table import Table, at_least, seconds
from tests.bench.wire import Api

BATCHES: Final = 10
"""In so many requests a large run gets its rows."""

PAGE: Final = 5_000
"""Rows on a page, as the tool asks for them."""

IMPORTED: Final = 30_000
"""Predictions a second that an import should take in."""

PAGE_SECONDS: Final = 0.001
"""Seconds of server time that a page of 100 rows may take."""

_IMPORT: Final = """mutation Bench(
  $run: ID!, $name: String!, $file: Upload!, $contentLength: Int!
) {
  createModelErrorAnalysisPredictionImport(data: {
    modelRunId: $run, name: $name,
    filePayload: { file: $file, contentLength: $contentLength }
  }) { state }
}"""
_STATE: Final = """query Bench($run: ID!, $name: String!) {
  modelErrorAnalysisPredictionImport(where: { modelRunId: $run, name: $name }) {
    state errorFileUrl
  }
}"""


def serves(setting: Setting) -> None:
    """Compare with bare HTTP, bare SQLite, bare files and bare parsing."""
    _ordinary(setting)
    _large(setting)


def _ordinary(setting: Setting) -> None:
    sizes, table = setting.sizes, setting.table
    home = setting.folder / "serve"
    rows = max(sizes.rows, sizes.predictions // 10)
    with filled(home, rows) as remote, Api(remote.url, KEY) as api:
        run = remote.add_run("ordinary", sizes.rows)
        table.head("serve: small reads", other="bare HTTP")
        for threads in (1, 8):
            asked = script("small_reads", remote.url, KEY, run, sizes.requests, threads)
            took = json.loads(measure(asked).output)
            table.line(
                f"a run's config, {threads} at a time",
                f"{sizes.requests / took['ask']:,.0f}/s",
                f"{sizes.requests / took['bare']:,.0f}/s",
                took["ask"] / took["bare"],
            )
        table.head("serve: predictions", other="")
        _imports(setting, remote, api, rows)
        table.head("serve: 10,000 rows by the SDK", other="bare HTTP")
        read = script("sdk_read", remote.url, KEY, run)
        took = json.loads(measure(read).output)
        table.line(
            f"{took['pages']} pages of 100 rows",
            seconds(took["sdk"]),
            seconds(took["bare"]),
            took["sdk"] / took["bare"],
        )
    # With the server gone, the store can be asked without HTTP around it.
    took = json.loads(measure(script("page", home / "server" / "store.db", run)).output)
    table.line(
        "server time of such a page, 1 ms wanted",
        f"{took['page'] * 1000:.2f} ms",
        f"{PAGE_SECONDS * 1000:.2f} ms",
        PAGE_SECONDS / took["page"],
        at_least(1),
    )


def _imports(setting: Setting, remote: Remote, api: Api, rows: int) -> None:
    count = setting.sizes.predictions
    run = remote.add_run("predicted", rows)
    content = _predictions(count, rows)
    took = _timed(lambda: _import(api, run, "bench", content))
    again = _timed(lambda: _import(api, run, "again", content))
    parsing = _timed(lambda: [json.loads(line) for line in content.splitlines()])
    for name, one in (("imported", took), ("imported again, all replaced", again)):
        setting.table.line(
            f"{count:,} {name}; parsed only",
            seconds(one),
            seconds(parsing),
            one / parsing,
        )
        setting.table.line(
            f"{name}, a second; wanted",
            f"{count / one:,.0f}/s",
            f"{IMPORTED:,}/s",
            count / one / IMPORTED,
            at_least(1),
        )


def _predictions(count: int, rows: int) -> bytes:
    return b"\n".join(
        json.dumps(
            {
                "uuid": f"00000000-0000-4000-8000-{number:012}",
                "dataRow": {"globalKey": key(number % rows)},
                "name": "cat",
                "confidence": 0.5,
                "customMetrics": [{"name": "iou", "value": 0.5}],
                "bbox": {"top": 1.5, "left": 2.5, "height": 30.0, "width": 40.0},
                "classifications": [
                    {"name": "breed", "answer": {"name": "tabby", "confidence": 0.25}}
                ],
            }
        ).encode()
        for number in range(count)
    )


def _import(api: Api, run: str, name: str, content: bytes) -> None:
    answer = api.send(_IMPORT, content, run=run, name=name, contentLength=len(content))
    while answer["state"] == "RUNNING":
        time.sleep(0.05)
        answer = api.say(_STATE, run=run, name=name)
    errors = api.get(api.say(_STATE, run=run, name=name)["errorFileUrl"])
    assert (answer["state"], errors) == ("FINISHED", 0)


def _large(setting: Setting) -> None:
    count, table = setting.sizes.large, setting.table
    with filled(setting.folder / "large", count) as remote, Api(remote.url, KEY) as api:
        run = remote.add_empty_run("large")
        keys = [key(number) for number in range(count)]
        adding = _timed(lambda: _add(api, run, keys))
        bare = json.loads(measure(script("sqlite_rows", count, BATCHES)).output)
        table.head(f"serve: {count:,} rows into a run", other="SQLite")
        _rates(table, "by sorted keys", count, adding, bare["seconds"], 0.5)
        paging = _timed(lambda: _page(api, run, count))
        began = time.perf_counter()
        urls = _export(api, run, count)
        exporting = time.perf_counter() - began
        downloading = _timed(lambda: [api.get(url) for url in urls])
    table.head(f"serve: {count:,} rows out of a run", other="bare file")
    _rates(table, f"by pages of {PAGE:,}", count, paging, downloading)
    _rates(table, "by export", count, exporting + downloading, downloading)


def _rates(  # a line of the table
    table: Table,
    name: str,
    count: int,
    ours: float,
    other: float,
    least: float | None = None,
) -> None:
    table.line(
        name,
        f"{count / ours:,.0f}/s",
        f"{count / other:,.0f}/s",
        other / ours,
        None if least is None else at_least(least),
    )


def _add(api: Api, run: str, keys: list[str]) -> None:
    size = -(-len(keys) // BATCHES)
    for start in range(0, len(keys), size):
        batch = keys[start : start + size]
        task = api.ask(
            documents.ADD_ROWS, modelRunId=run, dataRowIds=None, globalKeys=batch
        )
        api.finish(documents.ADD_ROWS_STATUS, where={"id": task})


def _page(api: Api, run: str, count: int) -> None:
    found, cursor = 0, None
    while True:
        page = api.ask(
            documents.RUN_ROWS, modelRunId=run, **{"from": cursor}, first=PAGE
        )
        found += len(page["nodes"])
        cursor = page["pageInfo"]["endCursor"]
        if not cursor:
            break
    assert found == count


def _export(api: Api, run: str, count: int) -> list[str]:
    asked = {
        "taskName": "bench",
        "filters": {"modelRunId": run},
        "isStreamableReady": True,
        "streamable": True,
        "params": {"includeModelRunDetails": True},
    }
    task = api.ask(documents.EXPORT_RUN, input=asked)["taskId"]
    user = api.ask(documents.USER)["id"]
    api.finish(
        documents.TASK, lambda user: user["createdTasks"][0], userId=user, taskId=task
    )
    stream: dict[str, Any] = {"where": {"id": task}, "streamType": "RESULT"}
    header = api.ask(documents.EXPORT_HEADER, **stream)["exportMetadataHeader"]
    assert header["totalLines"] == count
    urls, offset = [], 0
    while offset < header["totalSize"]:
        asked_at = {**stream, "offset": str(offset)}
        file = api.ask(documents.EXPORT_FILE, **asked_at)["exportFileFromOffset"]
        urls.append(file["file"])
        offset = file["offsets"]["end"] + 1
    return urls


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began

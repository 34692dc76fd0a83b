"""The cost of an API key: ``python -m benchmarks.keys MAPFILE QUERY TIMES``.

The same request in one warm process, in rounds that alternate: without MAPSOS_KEYS, and with a key with a limit in a
file of SQLite. Each request with a key is looked up, counted and logged. Processor time is that of the whole process,
with the thread that writes the log and its last transaction.

Prints a JSON object: milliseconds of processor time of a request without and with a key, the least of the rounds, since
other programs only add to it, and their difference. The bound is 0.3 ms.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_ROUNDS = 9


def time_keys(mapfile: Path, query: str, times: int) -> dict[str, float]:
    """Answer the query so many times in each round, and return the milliseconds of a request by kind."""
    from mapsos.access.keys import Key
    from mapsos.access.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        location = str(Path(folder) / "keys.db")
        store = open_store(location)
        store.create()
        digits = store.add(Key("benchmark", "", per_day=10**9))
        without, _ = _open_application(mapfile, query, {})
        with_key, flush = _open_application(mapfile, query, {"MAPSOS_KEYS": location}, digits)
        found: dict[str, list[float]] = {"without": [], "with": []}
        for _ in range(_ROUNDS):
            for kind, answer in (("without", without), ("with", with_key)):
                spent = time.process_time()
                for _ in range(times):
                    answer()
                if kind == "with":
                    flush()
                found[kind].append((time.process_time() - spent) / times * 1000)
        store.database.close()
    least = {kind: min(rounds) for kind, rounds in found.items()}
    return {**least, "difference": least["with"] - least["without"]}


def _open_application(
    mapfile: Path, query: str, options: dict[str, str], key: str = ""
) -> tuple[Callable[[], None], Callable[[], None]]:
    from mapsos.app import Application
    from mapsos.config.settings import read_settings
    from mapsos.web.access_log import LoggedBody
    from mapsos.web.messages import Request

    application = Application(read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_LOG_LEVEL": "error", **options}))
    environ = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SCRIPT_NAME": "/sos", "REMOTE_ADDR": "127.0.0.1",
               "SERVER_PROTOCOL": "HTTP/1.1"}  # fmt: skip
    request = Request("GET", query, environ={**environ, "HTTP_X_API_KEY": key} if key else environ)

    def answer() -> None:
        response = application.answer(request)
        body = LoggedBody(request, response, time.monotonic())
        for _ in body:
            pass
        body.close()
        if response.status != 200:
            raise RuntimeError(f"{query}: {response.status}")

    return answer, application.host.finish


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys", description=__doc__)
    parser.add_argument("mapfile", type=Path, metavar="MAPFILE")
    parser.add_argument("query", metavar="QUERY")
    parser.add_argument("times", type=int, metavar="TIMES")
    print(json.dumps(time_keys(**vars(parser.parse_args()))))

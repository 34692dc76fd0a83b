"""One request answered again and again inside one process: ``python -m benchmarks.warm MAPFILE QUERY TIMES``.

QUERY is one for the SOS, or a path of the REST interface with its query, as ``/exts/SosSOE/procedures?f=json``. With
``--forget`` no summary is kept from one answer for the next.

Prints a JSON object: seconds of each time but the first, the first, the processor time of each but the first on
average, and the bytes of the last answer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path


def time_answers(mapfile: Path, query: str, times: int, forget: bool = False) -> dict[str, object]:
    """Answer the query so many times and one more, each answer read to its end."""
    from mapsos.operations.observations.kept_summaries import forget_summaries

    answer = open_application(mapfile, query)
    seconds = []
    size = 0
    spent = time.process_time()
    for number in range(times + 1):
        if number == 1:
            spent = time.process_time()
        if forget:
            forget_summaries()
        started = time.perf_counter()
        size = answer()
        seconds.append(time.perf_counter() - started)
    processor = (time.process_time() - spent) / max(times, 1)
    return {"first": seconds[0], "seconds": seconds[1:], "processor": processor, "bytes": size}


def open_application(mapfile: Path, query: str) -> Callable[[], int]:
    """A function that answers the query by the map, reads the answer, and gives its size in bytes."""
    from mapsos.app import Application
    from mapsos.config.settings import read_settings
    from mapsos.web.messages import Request
    from tests.support.servers import escape

    # Without HOME there is no cache folder, where an earlier run might have left something.
    application = Application(read_settings({"MS_MAPFILE": str(mapfile), "MAPSOS_LOG_LEVEL": "error"}))
    environ = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SCRIPT_NAME": "/sos", "REMOTE_ADDR": "127.0.0.1"}
    parameters = query
    if query.startswith("/"):
        environ["PATH_INFO"], _, parameters = query.partition("?")
    request = Request("GET", escape(parameters), environ=environ)

    def answer() -> int:
        response = application.answer(request)
        size = 0
        try:
            for chunk in response.body:
                size += len(chunk)
        finally:
            close = getattr(response.body, "close", None)
            if close is not None:
                close()
        if response.error:
            raise RuntimeError(f"{query}: an exception report")
        return size

    return answer


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm", description=__doc__)
    parser.add_argument("mapfile", type=Path, metavar="MAPFILE")
    parser.add_argument("query", metavar="QUERY")
    parser.add_argument("times", type=int, metavar="TIMES")
    parser.add_argument("--forget", action="store_true")
    print(json.dumps(time_answers(**vars(parser.parse_args()))))

"""HTTP clients that time servers: the first byte of an answer, the time of an answer, requests per second by ab."""

from __future__ import annotations

import http.client
import re
import statistics
import subprocess
import time

from tests.support.processes import ProgramError


def time_first_byte(port: int, path: str, times: int) -> list[float]:
    """Seconds from sending a request on a new connection to the first byte of the body, which is then left."""
    seconds = []
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        started = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        first = response.read(1)
        seconds.append(time.perf_counter() - started)
        _check(path, response.status, first)
        connection.close()
    return seconds


def time_answer(port: int, path: str, times: int, timeout: float = 600) -> list[float]:
    """Seconds from sending a request on one kept connection to the end of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        seconds.append(time.perf_counter() - started)
        _check(path, response.status, body)
    connection.close()
    return seconds


def fetch(port: int, path: str) -> bytes:
    """One answer whole. Raises ProgramError unless it is one of the service, no exception report."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 302:
        _check(path, response.status, body)
    return body


def load_server(port: int, path: str, requests: int, concurrency: int) -> tuple[float, float]:
    """Requests per second, and mean seconds of a request, of so many by so many clients. Raises ProgramError."""
    command = ["ab", "-q", "-l", "-n", str(requests), "-c", str(concurrency), f"http://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = re.search(r"^Requests per second:\s+([0-9.]+)", done.stdout, re.M)
    failed = re.search(r"^Failed requests:\s+(\d+)", done.stdout, re.M)
    # A redirect is what DescribeSensor answers.
    bad = re.search(r"^Non-2xx responses:\s+(\d+)", done.stdout, re.M) if "DescribeSensor" not in path else None
    if done.returncode != 0 or rate is None or failed is None or int(failed[1]) or bad:
        raise ProgramError(f"ab {path}: {done.stderr or done.stdout}")
    return float(rate[1]), concurrency / float(rate[1])


def median(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def _check(path: str, status: int, body: bytes) -> None:
    if status != 200 or b"ExceptionReport" in body[:400] or b"<HTML>" in body[:10] or not body:
        raise ProgramError(f"{path}: status {status}: {body[:400]!r}")

"""Running programs: wall time, and peak memory of a process with all that it started."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1e6
SAMPLE_SECONDS = 0.02


class ProgramError(Exception):
    """A program that is timed did not do what it was asked."""


@dataclass(frozen=True)
class Program:
    """A command with its environment, and where it runs."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")


@dataclass(frozen=True)
class Run:
    """Wall seconds from start to exit, and peak resident memory of the process tree in megabytes (10^6 bytes)."""

    seconds: float
    megabytes: float


def run_program(program: Program, output: int | None = None, timeout: float = 1800) -> Run:
    """Run to the end with its standard output going to /dev/null, or to the file descriptor. Raises ProgramError."""
    sink = subprocess.DEVNULL if output is None else output
    started = time.perf_counter()
    process = start_program(program, sink)
    memory = MemoryWatch([process.pid])
    with memory:
        reaper = threading.Timer(timeout, process.kill)
        reaper.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            # Whoever ends the run means what it has started too.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            reaper.cancel()
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ProgramError(f"{' '.join(program.command)} ended with {process.returncode}")
    return Run(seconds, max(memory.megabytes, _read_peak(usage)))


def measure_peak(program: Program) -> float:
    """Run to the end, and give the peak resident memory of the process in megabytes, as the kernel counts it.

    Nothing is sampled. A small process starts it: the kernel counts what a process was before exec too. Raises
    ProgramError.
    """
    command = (sys.executable, "-IS", "-c", _MEASURE, *program.command)
    process = start_program(Program(command, program.environment, program.folder), subprocess.DEVNULL, subprocess.PIPE)
    assert process.stderr is not None
    with process:
        told = process.stderr.read()
    if process.returncode != 0:
        raise ProgramError(f"{' '.join(program.command)} ended with {process.returncode}: {told.decode()}")
    return int(told.split()[-1]) * 1024 / MEGABYTE


_MEASURE = """\
import os, sys
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def start_program(program: Program, output: int, errors: int | None = None) -> subprocess.Popen[bytes]:
    """Start it, reading nothing, in a process group of its own."""
    return subprocess.Popen(
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env={"PATH": os.environ.get("PATH", os.defpath), **program.environment},
        cwd=program.folder,
        process_group=0,
    )


def stop_program(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, and end it after five seconds."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_peak(usage: resource.struct_rusage) -> float:
    # The kernel counts what the process was before exec too: this one. Below that, the figure says nothing.
    peak = usage.ru_maxrss * 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return peak / MEGABYTE if peak > own else 0.0


class MemoryWatch:
    """Samples the memory of processes and all their descendants every 20 ms while it is entered.

    ``megabytes`` is the largest sum of resident sizes seen, or the largest single high-water mark if that is more.
    Pages that forked processes share are counted for each of them. With ``pattern``, a regular expression, only
    processes whose first three words (program, option, script) match count.
    """

    def __init__(self, roots: Sequence[int], pattern: str | None = None) -> None:
        self.megabytes = 0.0
        self._roots = tuple(roots)
        self._pattern = None if pattern is None else re.compile(pattern)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            resident, highest = 0, 0
            for pid in list_tree(self._roots):
                if self._pattern is None or self._pattern.search(_read_command(pid)):
                    size, peak = _read_memory(pid)
                    resident += size
                    highest = max(highest, peak)
            self.megabytes = max(self.megabytes, max(resident, highest) * 1024 / MEGABYTE)
            if self._done.wait(SAMPLE_SECONDS):
                return


def list_tree(roots: Sequence[int]) -> Iterator[int]:
    """The processes and all their descendants."""
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        yield pid
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                waiting.extend(map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split()))
        except OSError:
            continue


def _read_memory(pid: int) -> tuple[int, int]:
    resident = peak = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                resident = int(line.split()[1])
            elif line.startswith("VmHWM:"):
                peak = int(line.split()[1])
    except OSError:
        pass
    return resident, peak


def _read_command(pid: int) -> str:
    try:
        return b" ".join(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3]).decode("utf-8", "replace")
    except OSError:
        return ""


def list_workers(server: int) -> set[int]:
    """The workers of `mapsos serve`: its children but the one that watches semaphores for Python's multiprocessing."""
    children = map(int, Path(f"/proc/{server}/task/{server}/children").read_text().split())
    return {child for child in children if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()}

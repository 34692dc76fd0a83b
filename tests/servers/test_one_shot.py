from __future__ import annotations

import os
import subprocess
import sys

import pytest


def run_python(script: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_libraries_are_loaded_before_their_packages_are_imported() -> None:
    script = """
import sys
from mapsos.servers.one_shot import load_libraries
load_libraries()
with open("/proc/self/maps") as maps:
    loaded = maps.read()
assert not {"osgeo", "numpy", "pyarrow"} & set(sys.modules)
print(*(name in loaded for name in ("libgdal", "_multiarray_umath", "libarrow.", "libarrow_compute")))
from osgeo import ogr
import pyarrow.compute
print(pyarrow.compute.sum(pyarrow.array([1, 2])), ogr.GetDriverCount() > 0)
"""
    assert run_python(script).stdout == "True True True True\n3 True\n"


@pytest.mark.parametrize(
    ("query", "threads"), [("request=getObservation", 1), ("request=GetCapabilities", 0), (None, 0), ("", 0)]
)
def test_only_observations_are_worth_a_thread(query: str | None, threads: int) -> None:
    script = f"""
import threading
started = []
threading.Thread.start = lambda thread: started.append(thread)
from mapsos.servers.one_shot import start_early
start_early({query!r})
print(len(started))
"""
    assert run_python(script).stdout == f"{threads}\n"


def test_leaving_writes_what_is_buffered() -> None:
    done = run_python("import sys; from mapsos.servers.one_shot import leave; sys.stdout.write('x' * 100000); leave(3)")
    assert (done.returncode, len(done.stdout)) == (3, 100_000)


def test_leaving_where_nobody_reads_ends_as_the_interpreter_does() -> None:
    read, write = os.pipe()
    os.close(read)
    script = "import sys; from mapsos.servers.one_shot import leave; sys.stdout.write('x'); leave(0)"
    # -I: an environment that says so would leave nothing buffered.
    script = f"import sys; sys.path[:0] = {sys.path!r}; " + script
    done = subprocess.run([sys.executable, "-I", "-c", script], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert done.returncode == 120

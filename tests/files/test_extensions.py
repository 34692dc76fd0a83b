from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mapsos.files.extensions import find_extension


def run_python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], text=True, stdout=subprocess.PIPE, check=False)


@pytest.mark.parametrize("parts", [("osgeo", "_gdal"), ("numpy", "_core", "_multiarray_umath"), ("pyarrow", "lib")])
def test_extension_modules_are_found_without_importing_them(parts: tuple[str, ...]) -> None:
    script = f"""
import sys
from mapsos.files.extensions import find_extension
print(find_extension(*{parts!r}))
assert {parts[0]!r} not in sys.modules
"""
    path = run_python(script).stdout.strip()
    assert os.path.isfile(path)
    assert os.path.basename(path).startswith(parts[-1])


def test_what_is_not_there_is_passed_over() -> None:
    assert find_extension("no_such_package", "lib") is None
    assert find_extension("pyarrow", "no_such_extension") is None

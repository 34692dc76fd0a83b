"""The OGC schemas, where they are at hand: MAPSOS_OGC_SCHEMAS, or shared/ogc-schemas in a folder above."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest


def find_validator() -> Path | None:
    """The program that validates documents against them, None where it is not."""
    named = os.environ.get("MAPSOS_OGC_SCHEMAS")
    above = [folder / "shared" / "ogc-schemas" for folder in Path(__file__).resolve().parents]
    folders = [Path(named)] if named else above
    return next((folder / "validate.py" for folder in folders if (folder / "validate.py").is_file()), None)


needs_schemas = pytest.mark.skipif(
    find_validator() is None, reason="the OGC schemas are not at hand: set MAPSOS_OGC_SCHEMAS"
)


def complain(
    folder: Path,
    documents: dict[str, bytes],
    *app_schemas: bytes,
    family: str | None = None,
    engine: Literal["lxml", "both"] = "lxml",
) -> list[str]:
    """What the schemas have against documents, by their names: nothing if they are valid."""
    options = ["--quiet", "--engine", engine, *(["--family", family] if family else [])]
    for number, schema in enumerate(app_schemas):
        path = folder / f"application{number}.xsd"
        path.write_bytes(schema)
        options += ["--app-schema", str(path)]
    for name, document in documents.items():
        (folder / f"{name}.xml").write_bytes(document)
    files = [str(folder / f"{name}.xml") for name in documents]
    command = [sys.executable, str(find_validator()), *options, *files]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    return [line.removeprefix(f"{folder}/") for line in found.stdout.splitlines()]

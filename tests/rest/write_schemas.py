"""Writes schemas/rest anew from the program: ``python -m tests.rest.write_schemas``."""

from __future__ import annotations

import json
from pathlib import Path

from mapsos.rest.description.schemas import SCHEMAS, write_schema

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "rest"


def write_file(name: str) -> str:
    """The text of a schema's file."""
    return json.dumps(write_schema(name), indent=2) + "\n"


if __name__ == "__main__":
    for known in SCHEMAS:
        (FOLDER / f"{known}.json").write_text(write_file(known), "utf-8")

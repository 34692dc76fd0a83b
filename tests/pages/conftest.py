"""The examples served by a real `mapsos serve`, as a newcomer starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pages.chromium import ARGUMENTS, CHROMIUM, PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAPS = Path(__file__).resolve().parents[2] / "examples" / "mapfiles"


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The URL of a server on a free port."""
    maps = [str(MAPS / f"{name}.map") for name in ("weather", "minimal", "every-key")]
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("MS_", "MAPSOS_"))}
    server = subprocess.Popen(
        [sys.executable, "-m", "mapsos", "serve", "--port", "0", "--workers", "1", *maps],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
        text=True,
    )
    try:
        assert server.stdout is not None
        first = server.stdout.readline()
        assert " at http://" in first, first
        yield first.rsplit(" ", 1)[1].strip()
    finally:
        server.terminate()
        server.communicate(timeout=60)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of the package; each test makes a context of its own."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    assert CHROMIUM, "chromium is not installed: script/setup --test installs it"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def word_map(path: Path, language: str) -> Path:
    """The map of the weather at a path, in a language."""
    text = (MAPS / "weather.map").read_text("utf-8")
    for old, new in (
        ('SHAPEPATH "../../data"', f'SHAPEPATH "{MAPS.parents[1] / "data"}"'),
        ('"sos_enable_request" "*"', f'"sos_enable_request" "*" "sos_language" "{language}"'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")
    return path

"""docs/mapsos.1 beside the parsers of the commands."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from mapsos.command.help import OPTIONS, USAGE
from mapsos.command.parsers import ALL_PARSERS, PARSERS

from .manual import write_manual
from .markdown import ROOT

PAGE = ROOT / "docs" / "mapsos.1"


def test_the_page_is_that_of_the_program() -> None:
    assert PAGE.read_text("utf-8") == write_manual(), "write it anew: python -m tests.docs.tables"


@pytest.mark.parametrize("name", ALL_PARSERS)
def test_every_option_of_every_command_is_in_it(name: str) -> None:
    text = PAGE.read_text("utf-8").split(f".SS mapsos {name}\n")[1].split("\n.S")[0].replace("\\-", "-")
    for action in ALL_PARSERS[name]()._actions:
        for option in action.option_strings:
            assert option in text


def test_the_usage_lists_every_command() -> None:
    usage, options, commands = USAGE.split("\n\n")[:3]
    for name in PARSERS:
        assert f"mapsos {name}" in usage
        assert f"\n  {name} " in commands
    for option in OPTIONS:
        assert option in options


def test_man_reads_it() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed here")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", PAGE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Draft a mapfile from data sets" in done.stdout

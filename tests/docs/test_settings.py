"""docs/settings.md beside the options and the arguments of the command."""

from __future__ import annotations

import re

import pytest

from mapsos.command import cli
from mapsos.command.parsers import ALL_PARSERS, PARSERS
from mapsos.config.options import OPTIONS

from .markdown import code, read, read_tables, section
from .tables import fill

TEXT = read("docs/settings.md")


def test_the_table_of_options_is_that_of_the_program() -> None:
    assert fill(TEXT) == TEXT, "write it anew: python -m tests.docs.tables"


@pytest.mark.parametrize("option", [option.name for option in OPTIONS])
def test_every_option_is_there(option: str) -> None:
    assert [row for table in read_tables(TEXT) for row in table if row.get("option") == f"`{option}`"]


def test_the_usage_is_that_of_the_program() -> None:
    usage = cli.USAGE.split("\n\n")[0]
    assert usage in TEXT


def test_every_argument_of_the_program_is_there() -> None:
    (table,) = read_tables(section(TEXT, "mapserv's arguments"))
    named = {word.split()[0].partition("=")[0] for row in table for word in code(row["argument"])}
    options = cli.USAGE.split("Options :")[1].split("Commands :")[0]
    told = {word.rstrip(",").partition("=")[0] for line in options.splitlines() for word in line.split()[:2]}
    assert {"-h", "--help", "--version", "-v", "-nh", "-conf", "QUERY_STRING", "PATH_INFO"} == named
    assert named <= told


@pytest.mark.parametrize("command", ["serve", "init", "check", "get", "cgi install"])
def test_every_argument_of_a_command_is_there(command: str) -> None:
    told = {option for action in PARSERS[command]()._actions for option in action.option_strings}
    text = read("docs/init.md") if command == "init" else section(TEXT, f"mapsos {command}")
    documented = set(re.findall(r"`(--[a-z-]+)", text))
    assert {option for option in told if option.startswith("--")} - {"--help"} == documented


@pytest.mark.parametrize("command", [name for name in ALL_PARSERS if name.startswith("keys ")])
def test_every_argument_of_keys_is_there(command: str) -> None:
    told = {option for action in ALL_PARSERS[command]()._actions for option in action.option_strings}
    text = section(read("docs/keys.md"), "The command line")
    row = next(row for table in read_tables(text) for row in table if row.get("action", "").startswith(f"`{command}"))
    common = {"--help", "--json", "--keys", "--conf"}
    assert {option for option in told if option.startswith("--")} - common == set(
        re.findall("--[a-z-]+", row["action"] + row["effect"])
    )


def test_every_command_is_there() -> None:
    headings = set(re.findall(r"^### mapsos (\w+)", TEXT, re.M))
    assert set(cli._COMMANDS) == headings

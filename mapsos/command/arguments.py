"""Parse the arguments of the commands."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable


def make_parser(name: str, description: str) -> ArgumentParser:
    """Return the parser of ``mapsos NAME``; options must be written in full, and a near miss is named."""
    # 3 ms that a request given by mapserv's arguments does not need.
    from argparse import ArgumentParser

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            marker = "unrecognized arguments: "
            if message.startswith(marker):
                unknown = message.removeprefix(marker).split()[0]
                message += suggest(unknown.partition("=")[0], self._option_string_actions)
            super().error(message)

    return Parser(prog=f"mapsos {name}", description=description, allow_abbrev=False)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a question about the known word that resembles an unknown one, empty if none does."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f". Did you mean {near[0]}?" if near else ""


def port(text: str) -> int:
    """Parse a port. Raises ValueError."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def unix_path(text: str) -> str:
    """Return the path in ``unix:PATH``. Raises ValueError."""
    scheme, _, path = text.partition(":")
    if scheme != "unix" or not path:
        raise ValueError(text)
    return path


def count(text: str) -> int:
    """Parse an integer of at least one. Raises ValueError."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def version(text: str) -> tuple[int, int]:
    """Parse the first two numbers of a version. Raises ValueError."""
    major, minor, *_ = (*text.split("."), "0")
    return int(major), int(minor)

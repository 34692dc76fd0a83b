"""Parse the arguments of the commands."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mapsos.terms.names.near_names import find_near_name

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable


def make_parser(name: str, description: str, epilog: str | None = None) -> ArgumentParser:
    """Return the parser of ``mapsos NAME``; options must be written in full, and a misspelt one is named.

    Its help ends with ``epilog``, line by line as it is.
    """
    # 3 ms that a request given by mapserv's arguments does not need.
    from argparse import ArgumentParser, HelpFormatter

    class Formatter(HelpFormatter):
        def _fill_text(self, text: str, width: int, indent: str) -> str:
            return f"{text}\n" if "\n" in text else super()._fill_text(text, width, indent)

    class Parser(ArgumentParser):
        def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
            words = sys.argv[1:] if args is None else list(args)
            # First, since the value of an unknown option would be taken for another argument.
            for word in words[: words.index("--")] if "--" in words else words:
                option = word.partition("=")[0]
                if option.startswith("--") and option not in self._option_string_actions:
                    self.error(f"unknown option {option}{suggest(option, self._option_string_actions)}")
            return super().parse_args(words, namespace)

    return Parser(
        prog=f"mapsos {name}", description=description, epilog=epilog, formatter_class=Formatter, allow_abbrev=False
    )


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``. Did you mean KNOWN?`` for a near miss of a known word, else an empty string."""
    bare = {name.lstrip("-"): name for name in known}
    meant = find_near_name(word.lstrip("-"), bare)
    return "" if meant is None else f". Did you mean {bare[meant]}?"


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

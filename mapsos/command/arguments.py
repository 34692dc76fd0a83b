"""Parse the arguments of the commands."""

from __future__ import annotations

from argparse import ArgumentParser


def make_parser(name: str, description: str) -> ArgumentParser:
    """Return the parser of ``mapsos NAME``; options must be written in full."""
    return ArgumentParser(prog=f"mapsos {name}", description=description, allow_abbrev=False)


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

"""Parse the arguments of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser


def make_parser(name: str, description: str) -> ArgumentParser:
    """Return the parser of ``mapsos NAME``; options must be written in full."""
    # 3 ms that a request given by mapserv's arguments does not need.
    from argparse import ArgumentParser

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


def version(text: str) -> tuple[int, int]:
    """Parse the first two numbers of a version. Raises ValueError."""
    major, minor, *_ = (*text.split("."), "0")
    return int(major), int(minor)

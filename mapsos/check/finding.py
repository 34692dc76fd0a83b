"""Findings of `mapsos check`, and the rules that they break."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from mapsos.mapfile.keys import Level, metadata_key
from mapsos.terms.values import dataclass

FindingLevel = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Rule:
    """A kind of finding. All rules are in `mapsos.check.codes`; docs/findings.md describes each.

    Attributes
    ----------
    code
        ``M`` and three digits, the first of which is the subject. It never changes, and is never used again.
    level
        ``error``: a request fails or selects nothing. ``warning``: clients get less than intended, or something else.
        ``info``: no problem, but worth knowing.
    title
        What is wrong, in a few words.
    """

    code: str
    level: FindingLevel
    title: str


@dataclass(frozen=True)
class Finding:
    """A problem of a mapfile or of its data.

    Attributes
    ----------
    file, line
        The location in the mapfile or an INCLUDEd file; the line counts from 1, 0 is the whole file.
    rule
        The kind of problem.
    key
        The metadata key or keyword in question.
    message
        The consequence for clients, and what to write instead.
    """

    file: str
    line: int
    rule: Rule
    key: str
    message: str

    @property
    def level(self) -> FindingLevel:
        """Return the level of the rule."""
        return self.rule.level

    @property
    def code(self) -> str:
        """Return the code of the rule."""
        return self.rule.code


class Located(Protocol):
    """A part of a mapfile: a block, a keyword, an entry of METADATA, a layer."""

    @property
    def file(self) -> str:
        """The mapfile or the INCLUDEd file."""

    @property
    def line(self) -> int:
        """The line, from 1."""


def locate(
    of: Level, keys: Mapping[str, tuple[str, int]], name: str, owner: Located, rule: Rule, message: str
) -> Finding:
    """Return a finding about a metadata key, at the line of the spelling in use, else at the block that lacks it.

    Parameters
    ----------
    of
        The level of the METADATA.
    keys
        File and line of each key in them, in lower case.
    name
        The key without its namespace.
    owner
        The block.
    """
    known = metadata_key(of, name)
    key = next((spelling for spelling in known.spellings if spelling in keys), None)
    file, line = keys[key] if key else (owner.file, owner.line)
    return Finding(file, line, rule, key or known.pattern, message)

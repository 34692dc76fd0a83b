"""Facts of versions of MapServer: the tables of cases and defects are of 8.0, and this is what a later one changed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache

from . import answers
from .cases import Case

MENDED: dict[str, tuple[int, int]] = {"filter-like-injection": (8, 4)}
"""Cases with expectations whose defect is gone since a version: both answer alike."""

MET_NO_MORE: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {"caps-comment-of-version": ((8, 4), ("B-03",))}
"""Differences that cases name and that are gone since a version."""

REFUSED: dict[str, tuple[tuple[int, int], str]] = {"env-path-info": ((8, 4), "Filename validation failed")}
"""Cases that mapserv refuses since a version, with its words, and mapsos answers as mapserv 8.0."""


@cache
def mapserv_version() -> tuple[int, int]:
    """Return the major and minor version of the mapserv that is installed here."""
    done = subprocess.run([answers.MAPSERV, "-v"], stdout=subprocess.PIPE, text=True, check=False)
    found = re.match(r"MapServer version (\d+)\.(\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1]), int(found[2])


def is_mended(case: Case) -> bool:
    """Whether both answer a case with expectations alike."""
    return case.id in MENDED and mapserv_version() >= MENDED[case.id]


def refusal(case: Case) -> str | None:
    """The words by which this version refuses a case, None if it answers it."""
    since, words = REFUSED.get(case.id, ((99, 0), ""))
    return words if mapserv_version() >= since else None


def of_version(case: Case) -> Case:
    """Return a case with the differences that this version has."""
    since, gone = MET_NO_MORE.get(case.id, ((99, 0), ()))
    if mapserv_version() < since:
        return case
    return replace(case, differs=tuple(name for name in case.differs if name not in gone))

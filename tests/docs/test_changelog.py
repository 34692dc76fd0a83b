"""CHANGELOG.md and LICENSE beside the package."""

from __future__ import annotations

import re

from mapsos import __version__

from .markdown import ROOT, read

TEXT = read("CHANGELOG.md")
VERSIONS = re.findall(r"^## \[([^]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$", TEXT, re.M)


def test_the_newest_release_is_the_version() -> None:
    names = [name for name, _ in VERSIONS]
    assert names[0] == "Unreleased"
    assert names[1] == __version__


def test_releases_are_semantic_versions_with_a_date_newest_first() -> None:
    releases = VERSIONS[1:]
    assert all(date for _, date in releases)
    numbers = [tuple(int(part) for part in name.split(".")) for name, _ in releases]
    assert all(len(parts) == 3 for parts in numbers)
    assert numbers == sorted(numbers, reverse=True)


def test_changes_are_under_the_headings_of_the_format() -> None:
    headings = set(re.findall(r"^### (.+)$", TEXT, re.M))
    assert headings <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_license_is_that_of_the_package() -> None:
    assert read("LICENSE").startswith("MIT License\n\nCopyright (c) 2026 the mapsos authors\n")
    assert 'license="MIT"' in (ROOT / "setup.py").read_text("utf-8")

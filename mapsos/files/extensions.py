"""Extension modules as files, found without importing anything."""

from __future__ import annotations

import os


def find_extension(package: str, *parts: str) -> str | None:
    """Return the file of an extension module inside a package, without importing anything; None if not found."""
    from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

    found = PathFinder.find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = os.path.join(folder, *parts) + suffix
            if os.path.exists(path):
                return path
    return None

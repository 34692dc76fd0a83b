"""The version that answers may name."""

from __future__ import annotations

from mapsos import __version__


def find_public_version(no_version: bool) -> str | None:
    """Return the version to publish, None where MS_NO_VERSION (``no_version``) forbids it."""
    return None if no_version else __version__

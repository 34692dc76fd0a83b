"""Names of downloaded files (RFC 6266)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOST_CHARACTERS = 120


def name_file(parts: Iterable[str], extension: str) -> str:
    """Return a file name built from the parts of a request.

    The parts are joined by underscores, in ASCII letters, digits, dots and hyphens. Other characters, including path
    separators, become one hyphen; a long name is cut, but not its extension.
    """
    words = (re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") for part in parts)
    return f"{'_'.join(word for word in words if word)[:_MOST_CHARACTERS] or 'observations'}.{extension}"


def write_disposition(file_name: str) -> tuple[str, str]:
    """Return the header that makes a browser save a response under a name of `name_file`."""
    return ("Content-Disposition", f'attachment; filename="{file_name}"')

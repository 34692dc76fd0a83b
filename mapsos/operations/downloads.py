"""Names of downloaded files."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOST_CHARACTERS = 120


def name_download(parts: Iterable[str], extension: str) -> tuple[str, str]:
    """The header that has an answer saved under a name of what was asked for.

    The name is the parts joined by underscores, in ASCII letters, digits, dots and hyphens. Anything else, path
    separators among it, becomes one hyphen; a long name is cut, never its ending.
    """
    words = (re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") for part in parts)
    name = f"{'_'.join(word for word in words if word)[:_MOST_CHARACTERS] or 'observations'}.{extension}"
    return ("Content-Disposition", f'attachment; filename="{name}"')

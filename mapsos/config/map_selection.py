"""Select the map of a request by the rules of MapServer (docs/mapserver-sos.md, "Configuration and choice of map")."""

from __future__ import annotations

import re

from mapsos.config.settings import Settings
from mapsos.terms.posix_patterns import compile_posix


class MapSelectionError(Exception):
    """A request does not name a map, or names one that the rules do not allow.

    The message is MapServer's; ``routine`` and ``category`` are what stands before it on MapServer's error page.
    """

    def __init__(
        self, message: str, routine: str = "msCGILoadMap", category: str = "Web application error."
    ) -> None:
        super().__init__(message)
        self.message = message
        self.routine = routine
        self.category = category


def select_map(settings: Settings, value: str | None) -> str:
    """Return the path of the requested map by the rules of MapServer, without opening it.

    Parameters
    ----------
    value
        The first ``map`` parameter, None if absent.

    Raises
    ------
    MapSelectionError
        With MapServer's texts. A value with a control character is never allowed.
    """
    if value is None:
        if settings.mapfile is None:
            raise MapSelectionError('CGI variable "map" is not set.')
        path = settings.mapfile
    elif (alias := value.lower()) in settings.maps:
        path = settings.maps[alias]
    elif settings.map_no_path:
        raise MapSelectionError(
            'CGI variable "map" not found in configuration and this server is not configured for full paths.'
        )
    elif settings.map_pattern is None:
        raise MapSelectionError("Required configuration value MS_MAP_PATTERN not set.")
    elif (
        re.search(r"[\x00-\x1f\x7f]", value)
        or compile_posix(settings.map_bad_pattern).search(value)
        or not compile_posix(settings.map_pattern).search(value)
    ):
        raise MapSelectionError('CGI variable "map" fails to validate.')
    else:
        path = value
    if not compile_posix(settings.mapfile_pattern).search(path):
        raise MapSelectionError("Filename validation failed.", "msLoadMap", "Regular expression error.")
    return path

"""Detect changes of the package, of installed distributions and of the configuration since a worker started."""

from __future__ import annotations

import sys
import time

from mapsos.files.code_version import list_modules
from mapsos.files.identity import Identity, identify


class Freshness:
    """The identities of files when this was created.

    Parameters
    ----------
    package
        Folder of the package: all its modules count.
    config_file
        The configuration file, None without one.
    interval
        Seconds between two checks of the package; the configuration file is checked each time.
    """

    def __init__(self, package: str, config_file: str | None, interval: float = 1.0) -> None:
        self._package = package
        self._config_file = config_file
        self._interval = interval
        self._config = identify(config_file) if config_file else None
        self._code = self._identify_code()
        self._looked = time.monotonic()

    def holds(self) -> bool:
        """Return whether nothing has changed; the package is only checked if the last check is too long ago."""
        if self._config_file and identify(self._config_file) != self._config:
            return False
        if time.monotonic() - self._looked < self._interval:
            return True
        self._looked = time.monotonic()
        return self._identify_code() == self._code

    def _identify_code(self) -> frozenset[Identity | None]:
        # Installing, upgrading or removing a distribution changes the folder that it is in.
        installed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
        return frozenset((*map(identify, installed), *list_modules(self._package)))

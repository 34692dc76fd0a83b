"""Whether what a worker was made of is still the same: the package, what is installed beside it, the configuration."""

from __future__ import annotations

import sys
import time

from mapsos.files.code_version import list_modules
from mapsos.files.identity import Identity, identify


class Freshness:
    """The identities of files when it was made.

    Parameters
    ----------
    package
        Folder of the package: all its modules count.
    config_file
        The configuration file, None without one.
    interval
        Seconds between two looks at the package; the configuration file is looked at each time.
    """

    def __init__(self, package: str, config_file: str | None, interval: float = 1.0) -> None:
        self._package = package
        self._config_file = config_file
        self._interval = interval
        self._config = identify(config_file) if config_file else None
        self._code = self._identify_code()
        self._looked = time.monotonic()

    def holds(self) -> bool:
        """Whether nothing has changed; the files of the package are looked at if the last look is too long ago."""
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

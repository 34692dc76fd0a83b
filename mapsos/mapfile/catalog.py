"""Cache the services of a process. Each is read again only after one of its files changed.

A map that an edit has broken continues to be served as it was before: from this process, or from the compiled form. A
map that cannot be opened any more is not served.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from mapsos.mapfile.compiled import Compiled, load_compiled, store_compiled
from mapsos.mapfile.errors import MapfileError
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.config.settings import Settings
    from mapsos.files.identity import Identity
    from mapsos.mapfile.model import Service

log = logging.getLogger("mapsos")

PATIENCE = 5.0
"""Seconds after which a faulty map is read again even if none of the files read for it has changed."""


@dataclass(frozen=True)
class LastGood:
    """The last valid service of a map that is faulty now.

    Attributes
    ----------
    faulty
        The files that were read until the error occurred.
    until
        Time of the monotonic clock after which the map is read again.
    """

    service: Service
    faulty: tuple[Identity, ...]
    until: float

    def holds(self) -> bool:
        """Return whether reading the map again would most likely fail with the same error."""
        return time.monotonic() < self.until and all(identity.holds() for identity in self.faulty)


class ServiceCatalog:
    """Services by path. Thread-safe: a map that several threads request at once is read by one of them.

    Parameters
    ----------
    settings
        Where compiled maps are cached.
    falls_back
        Whether a map that has become faulty is served as it was before; without it, it is an error.
    """

    def __init__(self, settings: Settings, *, falls_back: bool = True) -> None:
        self._cache = settings.cache
        self._falls_back = falls_back
        self._known: dict[str, Compiled | LastGood] = {}
        self._reported: dict[str, tuple[str, tuple[Identity, ...]]] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, path: str) -> Service:
        """Return the service of a mapfile.

        Costs a stat of each file that the service was read from. The first call, and calls after a file changed, also
        read the compiled form (about 1 ms) or the mapfile itself (some milliseconds). If the mapfile has become faulty,
        returns the last valid service and logs a warning, once for each change. A faulty map is read again when a file
        changes, and every `PATIENCE` seconds.

        Raises
        ------
        MapfileError
            As `mapsos.mapfile.reader.read_service`: for a map that cannot be opened, and for a faulty map without a
            valid earlier version, which is read again by each call.
        """
        path = os.path.abspath(path)
        known = self._known.get(path)
        if known is not None and known.holds():
            return known.service
        with self._lock:
            reading = self._reading.setdefault(path, threading.Lock())
        try:
            with reading:
                known = self._known.get(path)
                if known is None or not known.holds():
                    known = self._known[path] = self._read(path, known)
                return known.service
        except BaseException:
            # Paths that are not maps come from clients: do not store anything for them.
            with self._lock:
                self._known.pop(path, None)
                self._reported.pop(path, None)
                self._reading.pop(path, None)
            raise

    def _read(self, path: str, known: Compiled | LastGood | None) -> Compiled | LastGood:
        compiled = load_compiled(self._cache, path)
        if compiled is None:
            from mapsos.mapfile.reader import read_identified_service

            try:
                compiled = Compiled(*read_identified_service(path))
            except MapfileError as error:
                return self._fall_back(path, known, error)
            store_compiled(self._cache, path, compiled)
        if self._reported.pop(path, None) is not None:
            log.info("%s is valid again", path)
        return compiled

    def _fall_back(self, path: str, known: Compiled | LastGood | None, error: MapfileError) -> LastGood:
        """Return the last valid service of a faulty map. Raises the error if none exists."""
        # A removed map is not served: removing it was intended.
        withdrawn = error.missing and error.file == path
        last = None if withdrawn or not self._falls_back else known or load_compiled(self._cache, path, outdated=True)
        if last is None:
            raise error
        reason = (str(error), error.identities)
        if self._reported.get(path) != reason:
            self._reported[path] = reason
            text = str(error).encode("unicode_escape").decode("ascii")
            log.warning("%s; the map is still served as it was before this change", text)
        return LastGood(last.service, error.identities, time.monotonic() + PATIENCE)

"""The services of a process, each read once as long as its files stay what they are.

A map that is edited into something that is no map goes on being served as it last was: in this process, or as it was
last compiled. A map that cannot be opened any more is not.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapsos.mapfile.compiled import Compiled, load_compiled, store_compiled
from mapsos.mapfile.errors import MapfileError

if TYPE_CHECKING:
    from mapsos.config.settings import Settings
    from mapsos.files.identity import Identity
    from mapsos.mapfile.model import Service

log = logging.getLogger("mapsos")

PATIENCE = 5.0
"""Seconds after which a faulty map is read again though none of the files that were read of it has changed."""


@dataclass(frozen=True)
class LastGood:
    """What is served in the place of a faulty map: the service as it last was, until one of the files changes."""

    service: Service
    faulty: tuple[Identity, ...]
    until: float

    def holds(self) -> bool:
        """Whether reading the map again would most likely end with the same error."""
        return time.monotonic() < self.until and all(identity.holds() for identity in self.faulty)


class ServiceCatalog:
    """Finds services by path. Safe for threads: a map that several ask for at once is read by one of them."""

    def __init__(self, settings: Settings) -> None:
        self._cache = settings.cache
        self._known: dict[str, Compiled | LastGood] = {}
        self._reported: dict[str, tuple[str, tuple[Identity, ...]]] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, path: str) -> Service:
        """The service of a mapfile.

        Costs a stat of each file it was read from; where one has changed, or at first, reading the compiled form
        (a few milliseconds) or the mapfile itself (0.5 s at first use of the parser). Where that fails, the service
        is as it last was, and a warning in the log says once for each change why; what reading it cost is paid again
        when a file changes, and every `PATIENCE` seconds.

        Raises
        ------
        MapfileError
            As `mapsos.mapfile.reader.read_service`, for a map that cannot be opened, and for a faulty one that was
            never read before; that one is read again each time.
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
            # Paths that are no maps come from clients: nothing of them stays.
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
            log.info("%s is a map again", path)
        return compiled

    def _fall_back(self, path: str, known: Compiled | LastGood | None, error: MapfileError) -> LastGood:
        """Give what is served in the place of a faulty map; raises the error where that is nothing."""
        # A map that is taken away is meant to be gone.
        withdrawn = error.missing and error.file == path
        last = None if withdrawn else known or load_compiled(self._cache, path, outdated=True)
        if last is None:
            raise error
        reason = (str(error), error.identities)
        if self._reported.get(path) != reason:
            self._reported[path] = reason
            text = str(error).encode("unicode_escape").decode("ascii")
            log.warning("%s; the map is served as it was before it was changed", text)
        return LastGood(last.service, error.identities, time.monotonic() + PATIENCE)

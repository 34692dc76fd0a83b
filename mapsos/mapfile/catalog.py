"""The services of a process, each read once as long as its files stay what they are."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from mapsos.mapfile.compiled import Compiled, load_compiled, store_compiled

if TYPE_CHECKING:
    from mapsos.mapfile.model import Service
    from mapsos.settings import Settings


class ServiceCatalog:
    """Finds services by path. Safe for threads: a map that several ask for at once is read by one of them."""

    def __init__(self, settings: Settings) -> None:
        self._cache = settings.cache
        self._known: dict[str, Compiled] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, path: str) -> Service:
        """The service of a mapfile.

        Costs a stat of each file it was read from; where one has changed, or at first, reading the compiled form
        (a few milliseconds) or the mapfile itself (0.5 s at first use of the parser).

        Raises
        ------
        MapfileError
            As `mapsos.mapfile.reader.read_service`; a faulty map is read again each time.
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
                    known = self._known[path] = self._read(path)
                return known.service
        except BaseException:
            # Paths that are no maps come from clients: nothing of them stays.
            with self._lock:
                self._known.pop(path, None)
                self._reading.pop(path, None)
            raise

    def _read(self, path: str) -> Compiled:
        compiled = load_compiled(self._cache, path)
        if compiled is None:
            from mapsos.mapfile.reader import read_identified_service

            compiled = Compiled(*read_identified_service(path))
            store_compiled(self._cache, path, compiled)
        return compiled

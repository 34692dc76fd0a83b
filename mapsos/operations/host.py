"""The state of an application between requests, and its only owner."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.terms.deadlines import limit_connections
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    from mapsos.access.gate import Gate

log = logging.getLogger("mapsos")


class Host:
    """Settings, parsed maps, facts about data, summaries and open readers. Thread-safe.

    Facts, summaries and readers are cached by the identity of the data, whatever map refers to them, so that all hosts
    of a process share them. Maps are parsed once for all hosts that share a catalog. The settings of the newest host
    bound the connections to PostgreSQL of the process.

    Parameters
    ----------
    settings
        The settings of the admin.
    catalog
        Parsed maps; None for a new catalog.
    has_map_paths
        Whether the server has a separate path for each map, as `mapsos serve` does.
    """

    def __init__(
        self, settings: Settings, catalog: ServiceCatalog | None = None, *, has_map_paths: bool = False
    ) -> None:
        self.settings = settings
        self.catalog = catalog if catalog is not None else ServiceCatalog(settings)
        self.has_map_paths = has_map_paths
        limit_connections(settings.postgresql_connections, settings.max_wait)
        self._gate: Gate | None = None

    @property
    def gate(self) -> Gate | None:
        """Return the keys of the server; None where MAPSOS_KEYS is not set."""
        if self._gate is None and self.settings.keys is not None:
            from mapsos.access.gate import Gate

            self._gate = Gate(self.settings)
        return self._gate

    def finish(self) -> None:
        """Write what is not yet stored of the log of keys, in a process that ends now."""
        if self._gate is not None:
            self._gate.flush()

    def find_service(self, path: str) -> Service:
        """Return the service of the mapfile ``path``. Raises MapfileError as `ServiceCatalog.find` does."""
        return self.catalog.find(path)

    def forget(self, source: LayerSource | None = None) -> None:
        """Forget everything cached about a layer's data after a write; None stands for all data.

        The next question determines facts and summaries again. Idle readers of the data are closed.
        """
        from mapsos.operations.forgetting import forget_data

        forget_data(source)

    def check_maps(self) -> dict[str, bool]:
        """Return for the path of each map whether it can be read.

        The default map is parsed, unless it is already. Of the others only the existence of the file is checked.
        """
        paths = {*self.settings.maps.values(), *filter(None, [self.settings.mapfile])}
        return {path: self._check_map(path) for path in sorted(paths)}

    def _check_map(self, path: str) -> bool:
        try:
            if path == self.settings.mapfile:
                self.catalog.find(path)
            else:
                os.stat(path)
        except (MapfileError, OSError) as error:
            log.warning("%s", error)
            return False
        return True

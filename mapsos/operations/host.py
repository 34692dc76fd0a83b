"""The one owner of what an application keeps between requests."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.terms.layer_source import LayerSource

log = logging.getLogger("mapsos")


class Host:
    """Settings, parsed maps, facts about data, summaries and open readers. Safe for threads.

    Facts, summaries and readers are kept by the identity of the data, whatever map they come from, so that all hosts
    of a process share them; maps are parsed once for all hosts that share a catalog.

    Parameters
    ----------
    settings
        What the admin has set.
    catalog
        Parsed maps, None for a catalog of its own.
    has_map_paths
        Whether the server has each map under a path of its own, as `mapsos serve` does.
    """

    def __init__(
        self, settings: Settings, catalog: ServiceCatalog | None = None, *, has_map_paths: bool = False
    ) -> None:
        self.settings = settings
        self.catalog = catalog if catalog is not None else ServiceCatalog(settings)
        self.has_map_paths = has_map_paths

    def find_service(self, path: str) -> Service:
        """Return the service of a mapfile's path. Raises MapfileError, as `ServiceCatalog.find`."""
        return self.catalog.find(path)

    def forget(self, source: LayerSource | None = None) -> None:
        """Forget what is known of a layer's data, None for all data: after they were written to.

        Facts and summaries are found anew by the next question, and idle readers of the data are closed.
        """
        from mapsos.operations.layers.facts import forget_facts
        from mapsos.operations.observations.kept_summaries import forget_summaries
        from mapsos.sources.pool import close_idle_readers

        forget_facts(source)
        forget_summaries(source)
        close_idle_readers(source)

    def check_maps(self) -> Iterator[bool]:
        """Check whether each map that may be asked for by name, or without one, can be read.

        The latter is parsed, unless it already is; of the others the file is looked for.
        """
        default = self.settings.mapfile
        for path in sorted({*self.settings.maps.values(), *filter(None, [default])}):
            try:
                if path == default:
                    self.catalog.find(path)
                else:
                    os.stat(path)
            except (MapfileError, OSError) as error:
                log.warning("%s", error)
                yield False
            else:
                yield True

"""Forget what is cached about data, wherever it is cached. Only a write needs that."""

from __future__ import annotations

from mapsos.operations.layers.facts import forget_facts
from mapsos.operations.observations.kept_summaries import forget_summaries
from mapsos.sources.pool import close_idle_readers
from mapsos.terms.layer_source import LayerSource


def forget_data(source: LayerSource | None = None) -> None:
    """Drop facts and summaries about a source, and close its idle readers; None stands for all sources."""
    forget_facts(source)
    forget_summaries(source)
    close_idle_readers(source)

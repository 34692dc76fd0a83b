"""Batches by hand, and documents as trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from mapsos.columns.batches import Batch
from mapsos.columns.geometries import GeometryColumn


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """Makes a batch of text columns; geometries are given as WKT, None for a row without."""

    def make(geometries: Sequence[str | None] | None = None, **texts: Sequence[str | None]) -> Batch:
        column = None
        if geometries is not None:
            wkb = shapely.to_wkb(shapely.from_wkt(np.array(geometries, object)))
            column = GeometryColumn(pa.array(list(wkb), pa.large_binary()))
        rows = len(geometries if geometries is not None else next(iter(texts.values())))
        return Batch(rows, {}, {name: pa.array(values, pa.large_string()) for name, values in texts.items()}, column)

    return make


@pytest.fixture
def parse_members() -> Callable[..., Any]:
    """Parses the chunks of members as a document of their own, with every prefix declared."""
    from lxml import etree

    def parse(chunks: Sequence[bytes]) -> Any:
        names = {
            "gml": "http://www.opengis.net/gml",
            "om": "http://www.opengis.net/om/1.0",
            "swe": "http://www.opengis.net/swe/1.0.1",
            "xlink": "http://www.w3.org/1999/xlink",
            "ms": "http://mapserver.gis.umn.edu/mapserver",
        }
        declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in names.items())
        # Not by the default parser of the process: OWSLib sets one that drops comments.
        document = f"<members{declared}>\n".encode() + b"".join(chunks) + b"</members>"
        return etree.fromstring(document, etree.XMLParser())

    return parse

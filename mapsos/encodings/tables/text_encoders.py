"""The encoders of tables as text, imported together: they share most of their modules."""

from __future__ import annotations

from mapsos.encodings.tables import csv_table, geojson, json_table

CSV = csv_table.ENCODER
GEOJSON = geojson.ENCODER
JSON = json_table.ENCODER

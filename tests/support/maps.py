"""The maps over the data sets, readable by both servers, and the requests for their layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.datasets import DATASETS, TABLE, provide_dataset

ALIASED = ("station", "air_temp", "humidity", "value")
"""The four fields that answers show; the time of observation stands in samplingTime."""

CAPABILITIES = "service=SOS&request=GetCapabilities"
SENSOR = (
    "service=SOS&version=1.0.0&request=DescribeSensor&procedure=urn:ogc:def:procedure:S007"
    '&outputFormat=text/xml; subtype="sensorML/1.0.0"'
)
OBSERVATIONS = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=stations&observedProperty=weather"
    '&responseFormat=text/xml; subtype="om/1.0.0"'
)
MEASUREMENT = f"{OBSERVATIONS}&resultModel=om:Measurement"
DATABLOCK = f"{OBSERVATIONS}&resultModel=om:Observation"
STRICT = "&conformance=strict"


def ask_table(response_format: str, more: str = "") -> str:
    """A request for the observations in another response format, with further parameters."""
    return f"{OBSERVATIONS.partition('&responseFormat=')[0]}&responseFormat={response_format}{more}"


REST_OBSERVATIONS = "/exts/SosSOE/observations/query?f=json&observedProperty=value"
"""The values of one column, an observation for each row, by the REST interface."""


@dataclass(frozen=True)
class MapLayer:
    """One layer of one map: which data set, what is shown of it.

    Attributes
    ----------
    dataset
        A name of `DATASETS`.
    rows
        How many.
    aliased
        Columns that are shown.
    extents
        Whether the mapfile tells the offering's extents, in space and time, or leaves them to be found.
    projection
        EPSG number of the map, and so of the answers.
    """

    dataset: str
    rows: int
    aliased: tuple[str, ...] = ALIASED
    extents: bool = True
    projection: int = 4326


def write_map(layer: MapLayer, folder: Path) -> Path:
    """The mapfile of a layer, in the folder with the data, which is made if need be."""
    data = provide_dataset(layer.dataset, layer.rows, folder)
    dataset = DATASETS[layer.dataset]
    if dataset.suffix == "shp":
        source = f'DATA "{data.stem}"'
    else:
        table = TABLE if dataset.suffix == "gpkg" else ""
        source = f'CONNECTIONTYPE OGR CONNECTION "{data.name}"' + (f' DATA "{table}"' if table else "")
    shape = {"POINT": "POINT", "LINESTRING": "LINE", "POLYGON": "POLYGON"}[dataset.shape]
    metadata = {
        "sos_offering_id": "stations",
        "sos_offering_name": "Stations",
        "sos_offering_description": "Invented observations",
        "sos_observedproperty_id": "weather",
        "sos_procedure_item": "station",
        "sos_describesensor_url": "http://127.0.0.1/sensors/%procedure%.xml",
        "sos_timeitem": "time",
        **{f"sos_{name}_alias": name for name in layer.aliased},
    }
    if layer.extents:
        metadata["sos_offering_extent"] = "-180,-90,180,90"
        metadata["sos_offering_timeextent"] = "2001-01-01T00:00:00Z/2010-01-01T00:00:00Z"
    lines = "\n".join(f'      "{key}" "{value}"' for key, value in metadata.items())
    text = f"""MAP
  NAME "benchmark"
  SIZE 100 100
  EXTENT -180 -90 180 90
  SHAPEPATH "."
  PROJECTION "init=epsg:{layer.projection}" END
  WEB
    METADATA
      "sos_onlineresource" "http://127.0.0.1/sos?"
      "sos_srs" "EPSG:4326 EPSG:3857"
      "sos_title" "Benchmark"
      "sos_enable_request" "*"
      "sos_conformance" "mapserver strict"
    END
  END
  LAYER
    NAME "observations"
    TYPE {shape}
    STATUS ON
    {source}
    PROJECTION "init=epsg:{dataset.epsg}" END
    METADATA
{lines}
    END
  END
END
"""
    shown = "" if layer.aliased == ALIASED else "-" + "-".join(layer.aliased)
    extents = "" if layer.extents else "-computed"
    path = folder / f"{data.stem}{shown}{extents}-{layer.projection}.map"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def write_configuration(folder: Path, maps: dict[str, Path]) -> Path:
    """A configuration file that admits the maps by name, and any map of the folder by its path."""
    names = "\n".join(f'    {name} "{path}"' for name, path in maps.items())
    path = folder / "benchmark.conf"
    options = f'    MS_MAP_PATTERN "^{folder}/"\n    MAPSOS_LOG_LEVEL "error"'
    path.write_text(f"CONFIG\n  ENV\n{options}\n  END\n  MAPS\n{names}\n  END\nEND\n")
    return path

"""Read the names of columns: their words, the unit in them, and the quantity that they name."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from mapsos.terms.values import dataclass

_WORDS = re.compile(r"[^\W\d_]+\d*|\d+")
_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")
_BRACKETED = re.compile(r"\s*[\[(]\s*(?P<unit>[^\])]*?)\s*[\])]\s*$")
_LAST_WORD = re.compile(r"[\s_]+(?:in[\s_]+)?(?P<unit>[^\s_]+)$")
_PLAIN = str.maketrans({"³": "3", "²": "2", "¹": "1", "⁻": "-", "µ": "u", "μ": "u", "º": "°", "^": None, " ": None})

_UNITS = {
    "°c": "Cel", "degc": "Cel", "gradc": "Cel", "celsius": "Cel", "°f": "[degF]", "degf": "[degF]", "kelvin": "K",
    "m": "m", "cm": "cm", "mm": "mm", "km": "km", "meter": "m", "metres": "m", "meters": "m", "ft": "[ft_i]",
    "feet": "[ft_i]", "inch": "[in_i]", "inches": "[in_i]", "mnn": "m", "m+nn": "m", "mnhn": "m", "m+nhn": "m",
    "masl": "m", "müa": "m", "m3/s": "m3/s", "m3s": "m3/s", "m3s-1": "m3/s", "cbm/s": "m3/s", "cms": "m3/s",
    "cumecs": "m3/s", "l/s": "L/s", "ls-1": "L/s", "ft3/s": "[ft_i]3/s", "cfs": "[ft_i]3/s", "m3": "m3", "l": "L",
    "m/s": "m/s", "ms-1": "m/s", "mps": "m/s", "cm/s": "cm/s", "km/h": "km/h", "kmh": "km/h", "mph": "[mi_i]/h",
    "kn": "[kn_i]", "kt": "[kn_i]", "knots": "[kn_i]", "mm/h": "mm/h", "mm/d": "mm/d", "l/m2": "L/m2", "hpa": "hPa",
    "pa": "Pa", "kpa": "kPa", "mbar": "mbar", "bar": "bar", "dbar": "dbar", "%": "%", "percent": "%", "pct": "%",
    "prozent": "%", "%rh": "%", "ppm": "[ppm]", "ppb": "[ppb]", "ug/m3": "ug/m3", "mg/m3": "mg/m3", "mg/l": "mg/L",
    "mgl": "mg/L", "ug/l": "ug/L", "g/l": "g/L", "us/cm": "uS/cm", "ms/cm": "mS/cm", "s/m": "S/m", "ntu": "{NTU}",
    "fnu": "{FNU}", "psu": "{PSU}", "w/m2": "W/m2", "j/cm2": "J/cm2", "mv": "mV", "lux": "lx", "lx": "lx",
    "db": "dB", "°": "deg", "deg": "deg", "grad": "deg", "degrees": "deg", "usv/h": "uSv/h", "nsv/h": "nSv/h",
    "bq/m3": "Bq/m3", "kg/m3": "kg/m3", "h": "h", "min": "min",
}  # fmt: skip
"""UCUM codes by unit, in lower case, without spaces and with plain digits."""

_KELVIN = {"k": "K", "c": "Cel", "f": "[degF]"}
_ONLY_IN_BRACKETS = {"min", "h", "l", "grad", "s/m"}
"""Units that without brackets are more often something else, such as a minimum."""

_QUANTITIES = (
    (r"wassertemp|water_?temp", "WaterTemperature"),
    (r"lufttemp|air_?temp", "AirTemperature"),
    (r"temp", "Temperature"),
    (r"wasserstand|water_?level|pegelstand|^level|^stage$|^gauge_?height", "WaterLevel"),
    (r"abfluss|discharge|durchfluss|stream_?flow|^flow|^q$", "Discharge"),
    (r"precip|rain|niederschlag|regen", "Precipitation"),
    (r"wind_?dir|windricht", "WindDirection"),
    (r"wind|böe|gust", "WindSpeed"),
    (r"humid|feuchte", "RelativeHumidity"),
    (r"press|druck", "AirPressure"),
    (r"^co2|carbon_?dioxide", "CarbonDioxide"),
    (r"^o2|oxygen|sauerstoff", "DissolvedOxygen"),
    (r"conduct|leitf", "ElectricalConductivity"),
    (r"turbid|trüb", "Turbidity"),
    (r"salin|salz", "Salinity"),
    (r"^ph$", "PH"),
    (r"radiation|strahlung", "SolarRadiation"),
)


@dataclass(frozen=True)
class Meaning:
    """The parts of the name of a column: the name without its unit, the UCUM code of the unit, and the definition.

    ``unit`` is None where the name has none, or one that is not known; ``stated`` is then how it is written.
    """

    label: str
    unit: str | None
    stated: str
    definition: str


def split_words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: ``stationId`` and ``station_id`` are the same two."""
    return tuple(word.lower() for word in _WORDS.findall(_CAMEL.sub(" ", name).replace("_", " ")))


def read_name(name: str) -> Meaning:
    """Return the meaning of the name of a column with values."""
    text = unicodedata.normalize("NFC", name).strip()
    label, unit, stated = text, None, ""
    if (found := _BRACKETED.search(text)) and found.start():
        label, stated = text[: found.start()].strip(" _-"), found["unit"]
        unit = find_unit(stated)
    elif found := _LAST_WORD.search(text):
        plain = found["unit"].lower().translate(_PLAIN)
        unit = None if plain in _ONLY_IN_BRACKETS else find_unit(found["unit"])
        if unit is None and "temp" in text.lower():
            unit = _KELVIN.get(plain)
        if unit is not None:
            label, stated = text[: found.start()].strip(" _-"), found["unit"]
    if not label:
        label, unit, stated = text, None, ""
    return Meaning(label, unit, stated, define_property(label))


def find_unit(text: str) -> str | None:
    """Return the UCUM code of a unit as people write it, None if it is not known."""
    return _UNITS.get(text.lower().translate(_PLAIN))


def define_property(label: str) -> str:
    """Return a URN of the quantity that a name stands for."""
    lowered = label.lower()
    for pattern, quantity in _QUANTITIES:
        if re.search(pattern, lowered):
            return f"urn:ogc:def:property:OGC::{quantity}"
    plain = unicodedata.normalize("NFKD", label.replace("ß", "ss"))
    words = re.findall(r"\w+", "".join(part for part in plain if not unicodedata.combining(part)).replace("_", " "))
    return f"urn:ogc:def:property:OGC::{quote(''.join(word[:1].upper() + word[1:] for word in words))}"


def write_xml_name(label: str) -> str:
    """Return a name of an XML element that resembles a label: letters of any script, digits and underscores."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFC", label)).strip("_")
    return name if name[:1].isalpha() else f"_{name}"

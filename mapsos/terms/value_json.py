"""Write frozen values as JSON and read them back: compiled maps, cache keys, and questions that are answered later.

JSON cannot carry code. A codec reads and writes instances of an explicit set of classes and nothing else.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Any, get_args

from mapsos.terms import predicates
from mapsos.terms.crs import Crs, SrsName
from mapsos.terms.layer_source import InlineFeature, LayerSource, ShapeType, SourceKind
from mapsos.terms.times import Duration, EventTime, Interval

TERMS: tuple[type, ...] = (
    Crs,
    Duration,
    EventTime,
    InlineFeature,
    Interval,
    LayerSource,
    ShapeType,
    SourceKind,
    SrsName,
    predicates.Wildcard,
    *get_args(predicates.Leaf),
    predicates.And,
    predicates.Or,
    predicates.Not,
)
"""The value classes of this room, which codecs of other rooms add theirs to."""

_TUPLE, _BYTES, _ZONE = "", "bytes", "zone"


class ValueCodec:
    """Turns values into what `json` writes, and back.

    A value of one of the classes becomes a list that begins with the name of its class. Strings, numbers, booleans,
    None, tuples, mappings with keys that are strings, bytes and time zones are written too.

    Parameters
    ----------
    classes
        Frozen dataclasses and enumerations, all of different names.
    by_name
        Whether the fields of a dataclass are written with their names, which a later version can read although the
        class has more fields then. Without names the text is shorter and is read faster.

    Raises
    ------
    TypeError
        Two classes have one name, or a class is neither a dataclass nor an enumeration.
    """

    def __init__(self, classes: tuple[type, ...], *, by_name: bool = False) -> None:
        self._classes: dict[str, type[Any]] = {}
        self._fields: dict[type, tuple[str, ...]] = {}
        self._by_name = by_name
        for kind in classes:
            name = kind.__name__
            if name in self._classes or name in (_BYTES, _ZONE):
                raise TypeError(f"two classes with the name {name}")
            if is_dataclass(kind):
                self._fields[kind] = tuple(field.name for field in fields(kind))
            elif not issubclass(kind, enum.Enum):
                raise TypeError(f"{name} is neither a dataclass nor an enumeration")
            self._classes[name] = kind

    def encode(self, value: Any) -> Any:
        """Return a value as strings, numbers, lists and dicts.

        Raises
        ------
        TypeError
            The value, or a value in it, is not of one of the classes.
        """
        if value is None or isinstance(value, str | int | float):
            return value
        if isinstance(value, tuple):
            return [_TUPLE, *map(self.encode, value)]
        kind = type(value)
        if names := self._fields.get(kind):
            if self._by_name:
                return [kind.__name__, {name: self.encode(getattr(value, name)) for name in names}]
            return [kind.__name__, *(self.encode(getattr(value, name)) for name in names)]
        if kind in self._classes.values():
            return [kind.__name__, value.value] if isinstance(value, enum.Enum) else [kind.__name__]
        if isinstance(value, Mapping):
            return {key: self.encode(inner) for key, inner in value.items()}
        if isinstance(value, bytes):
            return [_BYTES, value.hex()]
        if isinstance(value, tzinfo):
            return [_ZONE, _encode_zone(value)]
        raise TypeError(f"{kind.__name__} has no JSON form")

    def decode(self, value: Any) -> Any:
        """Return the value that `encode` turned into ``value``. Mappings come back as dicts.

        Raises
        ------
        TypeError, ValueError, KeyError, IndexError
            The value is not a result of `encode` of this codec.
        """
        if isinstance(value, list):
            name, *parts = value
            if name == _TUPLE:
                return tuple(map(self.decode, parts))
            if name == _BYTES:
                return bytes.fromhex(parts[0])
            if name == _ZONE:
                return _decode_zone(parts[0])
            kind = self._classes[name]
            if self._by_name and parts and isinstance(parts[0], dict):
                return kind(**{key: self.decode(inner) for key, inner in parts[0].items()})
            return kind(*map(self.decode, parts))
        if isinstance(value, dict):
            return {key: self.decode(inner) for key, inner in value.items()}
        return value


def _encode_zone(zone: tzinfo) -> str | int:
    """Return the IANA name of a zone, or its offset from UTC in seconds, east positive."""
    name = getattr(zone, "key", None)
    if isinstance(name, str):
        return name
    offset = zone.utcoffset(None)
    if offset is None or offset % timedelta(seconds=1):
        raise TypeError(f"the time zone {zone} has neither a name nor an offset of seconds")
    return offset // timedelta(seconds=1)


def _decode_zone(value: str | int) -> tzinfo:
    if isinstance(value, int):
        return timezone(timedelta(seconds=value))
    from zoneinfo import ZoneInfo

    return ZoneInfo(value)

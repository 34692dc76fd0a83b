"""dBASE tables: fixed-width records read by position, their strings as they are in the file."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from mapsos.columns.parse_numbers import calendar_days, parse_integers, parse_numbers
from mapsos.columns.texts import from_fixed_width, utf8_texts
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.times import DAY
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_CODE_PAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x08: "cp865", 0x09: "cp437", 0x0A: "cp850", 0x0B: "cp437",
    0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437", 0x10: "cp850", 0x11: "cp437", 0x12: "cp850", 0x13: "cp932",
    0x14: "cp850", 0x15: "cp437", 0x16: "cp850", 0x17: "cp865", 0x18: "cp437", 0x19: "cp437", 0x1A: "cp850",
    0x1B: "cp437", 0x1C: "cp863", 0x1D: "cp850", 0x1F: "cp852", 0x22: "cp852", 0x23: "cp852", 0x24: "cp860",
    0x25: "cp850", 0x26: "cp866", 0x37: "cp850", 0x40: "cp852", 0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950",
    0x50: "cp874", 0x57: "cp1252", 0x58: "cp1252", 0x59: "cp1252", 0x64: "cp852", 0x65: "cp866", 0x66: "cp865",
    0x67: "cp861", 0x6A: "cp737", 0x6B: "cp857", 0x6C: "cp863", 0x78: "cp950", 0x79: "cp949", 0x7A: "cp936",
    0x7B: "cp932", 0x7C: "cp874", 0x86: "cp737", 0x87: "cp852", 0x88: "cp857", 0xC8: "cp1250", 0xC9: "cp1251",
    0xCA: "cp1254", 0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Code pages by the language driver id in the header of a table."""


class TableError(Exception):
    """The file is not a table, or is shorter than its header states."""


@dataclass(frozen=True)
class DbfColumn:
    """A column of a table: ``type`` is dBASE's letter; raw arrays contain the strings, null for a missing value."""

    column: Column
    type: str
    start: int
    width: int
    encoding: str | None

    @property
    def blank_is_text(self) -> bool:
        """Whether missing and empty strings look the same: a table pads strings with spaces."""
        return self.type == "C"

    def values(self, raw: pa.Array) -> pa.Array:
        """Return typed values."""
        import pyarrow as pa

        kind = self.column.kind
        if kind is ColumnKind.INTEGER:
            return parse_integers(raw)
        if kind is ColumnKind.REAL:
            return parse_numbers(raw)
        if kind is ColumnKind.DATE:
            import numpy as np
            import pyarrow.compute as pc

            numbers = parse_integers(raw)
            plain = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
            begin, real = calendar_days(np.clip(plain, 0, 99_999_999))
            days = (begin // DAY).astype(np.int32)
            return pa.array(days, pa.int32(), mask=~(real & (plain > 9_999_999))).cast(pa.date32())
        return raw

    def texts(self, raw: pa.Array) -> pa.Array:
        """Return the strings as they are in the file."""
        return raw

    def read(self, records: np.ndarray) -> pa.Array:
        """Return the raw array from records, an array (rows, record width) of uint8."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        characters = np.ascontiguousarray(records[:, self.start : self.start + self.width])
        if (characters == 0).any():
            characters[np.logical_or.accumulate(characters == 0, axis=1)] = 32
        texts = from_fixed_width(characters)
        texts = pc.ascii_rtrim(texts, " ") if self.type == "C" else pc.ascii_trim(texts, " ")
        empty = pc.equal(texts, "")
        if self.type in "NF":
            empty = pc.or_(empty, pc.starts_with(texts, "*"))
        elif self.type == "D":
            empty = pc.or_(empty, pc.is_in(texts, value_set=pa.array(["0", "00000000"], pa.large_string())))
        if pc.any(empty).as_py():
            texts = pc.if_else(empty, pa.scalar(None, pa.large_string()), texts)
        return utf8_texts(texts.view(pa.large_binary()), self.encoding)


class Table:
    """An open table. Raises OSError or `TableError` where it cannot be read.

    Parameters
    ----------
    path
        The .dbf.
    encoding
        Character set of its strings; None for that of a .cpg beside it or of its header, else UTF-8.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        self._file = open(path, "rb")  # noqa: SIM115
        try:
            self._read_header(path, encoding)
        except BaseException:
            self._file.close()
            raise

    def _read_header(self, path: str, encoding: str | None) -> None:
        head = self._file.read(32)
        if len(head) < 32:
            raise TableError("the table has no header")
        self.rows, self._data_start, self._record = struct.unpack("<IHH", head[4:12])
        descriptors = self._file.read(max(0, self._data_start - 32))
        available = os.fstat(self._file.fileno()).st_size
        if self._record == 0 or self._data_start + self.rows * self._record > available:
            raise TableError("the table is shorter than its header states")
        if encoding is None:
            encoding = _declared_encoding(path, head[29])
        elif encoding == "utf-8":
            encoding = None
        self.columns: dict[str, DbfColumn] = {}
        start = 1
        for place in range(0, len(descriptors) - 31, 32):
            descriptor = descriptors[place : place + 32]
            if descriptor[0] == 0x0D:
                break
            name = descriptor[:11].split(b"\0")[0].decode(encoding or "utf-8", "replace").strip()
            letter = chr(descriptor[11])
            width, decimals = descriptor[16], descriptor[17]
            kind = _kind(letter, width, decimals)
            self.columns.setdefault(name, DbfColumn(Column(name, kind), letter, start, width, encoding))
            start += width
        if start > self._record:
            raise TableError("the records are shorter than their fields")

    def records(self, first: int, count: int) -> np.ndarray:
        """Return the records from ``first`` as uint8 (count, record width); byte 0 is ``*`` for a deleted one."""
        import numpy as np

        self._file.seek(self._data_start + first * self._record)
        data = self._file.read(count * self._record)
        if len(data) < count * self._record:
            raise TableError("the table ends early")
        return np.frombuffer(data, np.uint8).reshape(count, self._record)

    def pick(self, ids: np.ndarray) -> np.ndarray:
        """Return the records of record numbers in ascending order, without reading much more than them."""
        import numpy as np

        if len(ids) == 0:
            return np.empty((0, self._record), np.uint8)
        breaks = np.flatnonzero(np.diff(ids) > 64) + 1
        runs = np.split(ids, breaks)
        blocks = [self.records(int(run[0]), int(run[-1] - run[0]) + 1)[run - run[0]] for run in runs]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _kind(letter: str, width: int, decimals: int) -> ColumnKind:
    if letter in "NF":
        return ColumnKind.INTEGER if decimals == 0 and width < 19 and letter == "N" else ColumnKind.REAL
    return ColumnKind.DATE if letter == "D" else ColumnKind.TEXT


def _declared_encoding(path: str, language: int) -> str | None:
    """Return the encoding that a .cpg or the header declares, None for UTF-8 or where nothing is declared."""
    import codecs

    declared = _CODE_PAGES.get(language)
    stem = os.path.splitext(path)[0]
    for extension in (".cpg", ".CPG"):
        if os.path.isfile(stem + extension):
            with open(stem + extension, encoding="ascii", errors="replace") as file:
                text = file.read(64).strip().lower()
            declared = text.replace("ansi ", "cp").replace("oem ", "cp")
            declared = f"cp{declared}" if declared.isdecimal() and len(declared) < 5 else declared
            declared = declared.replace("88591", "8859-1") if declared.startswith("88591") else declared
            break
    if declared is None:
        return None
    try:
        name = codecs.lookup("iso" + declared if declared.startswith("8859") else declared).name
    except LookupError:
        return None
    return None if name in ("utf-8", "ascii") else name

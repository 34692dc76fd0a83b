"""The bytes of columns of strings or binary values in Arrow's buffers, and strings from bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


def column_offsets(column: pa.Array) -> npt.NDArray[np.int64] | npt.NDArray[np.int32]:
    """Return the offsets of the values in the data buffer and of the end of the last one: a view (rows + 1,).

    For strings and binary values, and the large ones of both. ``column`` must have rows.
    """
    import numpy as np
    import pyarrow as pa

    is_large = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    buffer, part = column.buffers()[1], slice(column.offset, column.offset + len(column) + 1)
    return np.frombuffer(buffer, np.int64)[part] if is_large else np.frombuffer(buffer, np.int32)[part]


def column_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Return the bytes of all values of such a column, one after the other: a uint8 view, without a copy."""
    import numpy as np

    data = column.buffers()[2]
    if data is None or not len(column):
        return np.empty(0, np.uint8)
    offsets = column_offsets(column)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def fixed_width(texts: pa.Array) -> np.ndarray | None:
    """Return the bytes of a large_string column as an array (rows, width) of uint8, None unless all are equally long.

    The array is a view, not a copy. None also for a column with nulls.
    """
    import numpy as np

    rows = len(texts)
    if rows == 0 or texts.null_count:
        return None
    offsets = column_offsets(texts)
    width = int(offsets[1] - offsets[0])
    if width == 0 or not (np.diff(offsets) == width).all():
        return None
    return column_bytes(texts).reshape(rows, width)


def from_fixed_width(characters: np.ndarray) -> pa.Array:
    """Return a large_string column from an array (rows, width) of uint8 that contains UTF-8."""
    import numpy as np
    import pyarrow as pa

    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    data = pa.py_buffer(np.ascontiguousarray(characters))
    return pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(offsets), data])


def utf8_texts(raw: pa.Array, encoding: str | None = None) -> pa.Array:
    """Return the strings of a driver as large_string of valid UTF-8.

    With an ``encoding`` other than UTF-8 the bytes are decoded from it. Invalid bytes become U+FFFD.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = raw if raw.type == pa.large_string() else raw.cast(pa.large_binary())
    if encoding is None:
        texts = texts.view(pa.large_string())
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            encoding = "utf-8"
        else:
            return texts
    if encoding != "utf-8" and pc.all(pc.string_is_ascii(texts.view(pa.large_string()))).as_py() is not False:
        return texts.view(pa.large_string())
    encoded = texts.view(pa.large_binary()).dictionary_encode()
    decoded = [value.decode(encoding, "replace") for value in encoded.dictionary.to_pylist()]
    return pa.array(decoded, pa.large_string()).take(encoded.indices)

"""The bytes of a column of texts or binary values, as they stand in Arrow's buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


def column_offsets(column: pa.Array) -> npt.NDArray[np.int64] | npt.NDArray[np.int32]:
    """Where the values begin in the data buffer, and last where the last one ends: a view, of one more than there are.

    For strings and binary values, and the large ones of both. ``column`` must have rows.
    """
    import numpy as np
    import pyarrow as pa

    is_large = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    buffer, part = column.buffers()[1], slice(column.offset, column.offset + len(column) + 1)
    return np.frombuffer(buffer, np.int64)[part] if is_large else np.frombuffer(buffer, np.int32)[part]


def column_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """All values of such a column, one after the other: a uint8 view, without a copy."""
    import numpy as np

    data = column.buffers()[2]
    if data is None or not len(column):
        return np.empty(0, np.uint8)
    offsets = column_offsets(column)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]

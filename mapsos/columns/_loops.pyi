from _typeshed import ReadableBuffer, WriteableBuffer

def format_reals(values: ReadableBuffer, out: WriteableBuffer, ends: WriteableBuffer, /) -> int: ...
def format_fixed(
    values: ReadableBuffer, after: ReadableBuffer, out: WriteableBuffer, ends: WriteableBuffer, /
) -> int: ...
def join_texts(
    first: int,
    last: int,
    pieces: tuple[ReadableBuffer | tuple[ReadableBuffer, ReadableBuffer], ...],
    out: WriteableBuffer,
    ends: WriteableBuffer | None,
    /,
) -> int: ...

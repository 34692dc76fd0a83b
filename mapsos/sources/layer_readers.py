"""The readers of an open layer: one for each reading that runs, each watched for changes of its files."""

from __future__ import annotations

from mapsos.sources.errors import SourceError
from mapsos.sources.file_watch import FileWatch
from mapsos.sources.pool import acquire_reader, discard_reader, release_reader
from mapsos.sources.reader import Reader
from mapsos.terms.layer_source import LayerSource

_MOST_OPENINGS = 5


class LayerReaders:
    """Readers of one source, the first of them open. Raises `SourceError` where one cannot be opened."""

    def __init__(self, source: LayerSource) -> None:
        self._source = source
        self._watch, reader = _open_watched(source)
        self._idle: list[Reader] = [reader]
        self._closed = False

    @property
    def idle(self) -> Reader | None:
        """A reader that no reading uses, None without one."""
        return self._idle[-1] if self._idle else None

    def take(self) -> tuple[FileWatch, Reader]:
        """Return a reader for one reading, and the watch on its files."""
        return (self._watch, self._idle.pop()) if self._idle else _open_watched(self._source)

    def give_back(self, reader: Reader, *, done: bool) -> None:
        """Return a reader after its reading; ``done`` states whether the reading came to its end."""
        if not done:
            discard_reader(reader)
        elif self._closed or self._idle:
            release_reader(reader)
        else:
            self._idle.append(reader)

    def close(self) -> None:
        """Return the idle readers to the pool; a reading that still runs returns its own at its end."""
        self._closed = True
        while self._idle:
            release_reader(self._idle.pop())


def _open_watched(source: LayerSource) -> tuple[FileWatch, Reader]:
    """Return a reader and the watch on its files; both are opened again if a file was replaced in between."""
    for _ in range(_MOST_OPENINGS):
        watch = FileWatch(source)
        reader = acquire_reader(source)
        if not watch.is_replaced():
            return watch, reader
        discard_reader(reader)
    raise SourceError(f"data source of layer {source.layer} is being replaced")

"""Cache expensive summaries while the data are unchanged: in memory, and in the cache folder for other processes.

A file there (`mapsos.files.cache_folder`) is an Arrow stream, which cannot carry code. It is trusted only if this
version wrote it from data that are unchanged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from mapsos.files.cache_folder import read_kept, write_kept
from mapsos.files.code_version import code_version
from mapsos.files.identity import Identity, stat_file
from mapsos.sources.identity import identity, list_files
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.value_json import TERMS, ValueCodec
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

KEEP_SECONDS = 0.3
"""Seconds: a summary that took less to compute is not cached."""

MOST_BYTES = 32 << 20
"""Maximum number of bytes in memory; one summary has at most an eighth of it."""

MOST_BYTES_ON_DISK = 64 << 20
"""Maximum number of bytes in the cache folder; the least recently used summaries are removed first."""

_SETTLED = 2 * 10**9
"""Nanoseconds after which a change of a file is certain to change its time, on any file system."""

_CODEC = ValueCodec((*TERMS, Identity))
_FOLDER = "summaries"
_ENDING = ".arrows"


@dataclass(frozen=True)
class SummaryQuestion:
    """A question for a summary.

    Attributes
    ----------
    source
        The layer.
    text
        Everything except the data that the answer depends on, as JSON.
    folder
        The cache folder; None for no folder.
    """

    source: LayerSource
    text: str
    folder: str | None

    def recall(self, find: Callable[[], pa.RecordBatch]) -> pa.RecordBatch:
        """Return the cached answer if the data are unchanged, else the result of ``find``, cached if it took long."""
        state = _write_state(self.source)
        if state is None:
            return find()
        key = (self.source, self.text, state)
        found = _store.recall(key)
        if found is None and self.folder is not None and (found := _load(self.folder, self.text, state)) is not None:
            _store.keep(key, found)
        if found is not None:
            return found
        settled, began = _is_settled(self.source), time.monotonic()
        found = find()
        worthwhile = time.monotonic() - began >= KEEP_SECONDS and found.nbytes <= MOST_BYTES // 8
        if settled and worthwhile and _write_state(self.source) == state:
            _store.keep(key, found)
            if self.folder is not None:
                _save(self.folder, self.text, state, found)
        return found


def ask_summary(source: LayerSource, folder: str | None, *parts: object) -> SummaryQuestion | None:
    """Return the question of some values (strings, numbers, terms, tuples); None if one of them has no JSON form."""
    try:
        text = json.dumps([code_version(), *map(_CODEC.encode, (source, parts))])
    except TypeError:
        return None
    return SummaryQuestion(source, text, folder)


def forget_summaries(source: LayerSource | None = None) -> None:
    """Drop the summaries in memory of a source; None for all sources (`mapsos.operations.host.Host.forget`).

    Summaries on disk belong to one state of the data, so they are not used any more after a write.
    """
    _store.forget(source)


_Key: TypeAlias = tuple[LayerSource, str, str]


class SummaryStore:
    """Summaries by question and state of the data; the least recently used are dropped first. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, pa.RecordBatch] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = 0

    def recall(self, key: _Key) -> pa.RecordBatch | None:
        """Return a cached summary, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: _Key, summary: pa.RecordBatch) -> None:
        """Cache a summary."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key).nbytes
            self._kept[key] = summary
            self._bytes += summary.nbytes
            while self._bytes > MOST_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def forget(self, source: LayerSource | None = None) -> None:
        """Drop the summaries of a source; None for all sources."""
        with self._lock:
            for key in [key for key in self._kept if source is None or key[0] == source]:
                self._bytes -= self._kept.pop(key).nbytes


_store = SummaryStore()


def _write_state(source: LayerSource) -> str | None:
    state = identity(source)
    return None if state is None else json.dumps(_CODEC.encode(state))


def _is_settled(source: LayerSource) -> bool:
    """Return whether the next change of the data would be noticed: two changes at once may have the same time."""
    states = [state for path in list_files(source) if (state := stat_file(path)) is not None]
    return all(state.st_mtime_ns < time.time_ns() - _SETTLED for state in states)


def _load(folder: str, text: str, state: str) -> pa.RecordBatch | None:
    import pyarrow as pa

    content = read_kept(folder, _FOLDER, _name_file(text), most=MOST_BYTES)
    if content is None:
        return None
    try:
        with pa.ipc.open_stream(content) as stream:
            known = stream.schema.metadata or {}
            if known.get(b"question") != text.encode() or known.get(b"state") != state.encode():
                return None
            found = stream.read_next_batch()
        found.validate(full=True)
        os.utime(os.path.join(folder, _FOLDER, _name_file(text)))
    except (OSError, pa.ArrowException, StopIteration):
        return None
    return found.replace_schema_metadata(None)


def _save(folder: str, text: str, state: str, summary: pa.RecordBatch) -> None:
    """Write a summary to the cache folder. Errors are ignored."""
    import pyarrow as pa

    told = summary.replace_schema_metadata({"question": text, "state": state})
    content = pa.BufferOutputStream()
    with pa.ipc.new_stream(content, told.schema) as stream:
        stream.write_batch(told)
    if write_kept(content.getvalue().to_pybytes(), folder, _FOLDER, _name_file(text)):
        with contextlib.suppress(OSError):
            _make_room(os.path.join(folder, _FOLDER))


def _make_room(folder: str) -> None:
    """Remove the least recently used files until the rest fits into `MOST_BYTES_ON_DISK`."""
    with os.scandir(folder) as entries:
        files = sorted(
            ((entry.stat(follow_symlinks=False), entry.path) for entry in entries), key=lambda file: file[0].st_mtime_ns
        )
    left = sum(status.st_size for status, _ in files)
    for status, path in files:
        if left <= MOST_BYTES_ON_DISK:
            break
        os.unlink(path)
        left -= status.st_size


def _name_file(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() + _ENDING

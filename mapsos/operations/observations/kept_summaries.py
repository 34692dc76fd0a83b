"""Summaries that took long, kept while the data are the same: in memory, and in the cache folder for other processes.

A file there (`mapsos.files.cache_folder`) is an Arrow stream, which cannot carry code. It is trusted only if this very
version made it from data that are unchanged.
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
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mapsos.files.cache_folder import read_kept, write_kept
from mapsos.files.code_version import code_version
from mapsos.files.identity import Identity, stat_file
from mapsos.sources.identity import identity, list_files
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.value_json import TERMS, ValueCodec

if TYPE_CHECKING:
    import pyarrow as pa

KEEP_SECONDS = 0.3
"""A summary that was found in less is not kept."""

MOST_BYTES = 32 << 20
"""How many bytes are kept in memory; of one summary at most an eighth."""

MOST_BYTES_ON_DISK = 64 << 20
"""How many bytes are kept in the cache folder: what was not used for longest goes first."""

_SETTLED = 2 * 10**9
"""Nanoseconds after which a change of a file shows in its time for certain, on any file system."""

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
        All that the answer depends on besides the data, as JSON.
    folder
        The cache folder, None for none.
    """

    source: LayerSource
    text: str
    folder: str | None

    def recall(self, find: Callable[[], pa.RecordBatch]) -> pa.RecordBatch:
        """The kept answer if the data have not changed, else what ``find`` finds now, which is kept if it took long."""
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
    """The question that ``parts`` (values, texts, numbers and tuples of them) make up; None where one has no text."""
    try:
        text = json.dumps([code_version(), *map(_CODEC.encode, (source, parts))])
    except TypeError:
        return None
    return SummaryQuestion(source, text, folder)


def forget_summaries(source: LayerSource | None = None) -> None:
    """Forget what is kept in memory of a source, None for everything (`mapsos.operations.host.Host.forget`).

    What is kept on disk is bound to the state of the data, and is of no more use after they were written to.
    """
    _store.forget(source)


_Key: TypeAlias = tuple[LayerSource, str, str]


class SummaryStore:
    """Summaries by question and state of the data, the least recently used forgotten first. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, pa.RecordBatch] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = 0

    def recall(self, key: _Key) -> pa.RecordBatch | None:
        """What is kept, None for nothing."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: _Key, summary: pa.RecordBatch) -> None:
        """Keep a summary."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key).nbytes
            self._kept[key] = summary
            self._bytes += summary.nbytes
            while self._bytes > MOST_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def forget(self, source: LayerSource | None = None) -> None:
        """Forget what is kept of a source, None for everything."""
        with self._lock:
            for key in [key for key in self._kept if source is None or key[0] == source]:
                self._bytes -= self._kept.pop(key).nbytes


_store = SummaryStore()


def _write_state(source: LayerSource) -> str | None:
    state = identity(source)
    return None if state is None else json.dumps(_CODEC.encode(state))


def _is_settled(source: LayerSource) -> bool:
    """Whether the next change of the data would show: two changes at once may have the same time."""
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
    """Write a summary; where that is not possible, nothing happens."""
    import pyarrow as pa

    told = summary.replace_schema_metadata({"question": text, "state": state})
    content = pa.BufferOutputStream()
    with pa.ipc.new_stream(content, told.schema) as stream:
        stream.write_batch(told)
    if write_kept(content.getvalue().to_pybytes(), folder, _FOLDER, _name_file(text)):
        with contextlib.suppress(OSError):
            _make_room(os.path.join(folder, _FOLDER))


def _make_room(folder: str) -> None:
    """Remove what was not used for longest, until the rest is as small as it shall be."""
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

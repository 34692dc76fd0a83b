"""Reading the next batch while the last one is used: the driver and the encoder each keep a core busy."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from mapsos.batches import Batch


def read_ahead(batches: Iterator[Batch]) -> Generator[Batch]:
    """The same batches, each read in another thread while the one before is used; never more than one ahead.

    What reading raises is raised here, in its place. Closing it waits for the batch that is being read, at most;
    ``batches`` itself is left to whoever made it.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch

"""Answers of operations: a document as chunks of bytes, and facts about it. Protocols make responses of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mapsos.terms.values import dataclass
from mapsos.web.messages import Chunk


@dataclass(frozen=True)
class AnswerFacts:
    """Facts about an answer for logs, metrics, quotas and jobs.

    Attributes
    ----------
    count_rows
        Returns the number of observations in the chunks so far.
    max_rows
        Maximum number of observations; more are cut off (maxfeatures). None for no limit.
    """

    count_rows: Callable[[], int] = lambda: 0
    max_rows: int | None = None


@dataclass(frozen=True)
class Answer:
    """One document, or its URL.

    Attributes
    ----------
    media_type
        The document's media type with its parameters.
    chunks
        The document. It is iterated once, and closed in any case if it has a ``close`` method. An exception while it is
        iterated means that the document is incomplete.
    file_name
        The name under which to save the document; None to show it.
    location
        The URL of a document elsewhere. Then the answer has no chunks.
    compressible
        Whether the document is worth compressing.
    is_tagged
        Whether the document is complete, so that it can have an entity tag.
    facts
        Facts about its observations.
    """

    media_type: str = ""
    chunks: Iterable[Chunk] = ()
    file_name: str | None = None
    location: str | None = None
    compressible: bool = True
    is_tagged: bool = False
    facts: AnswerFacts = AnswerFacts()

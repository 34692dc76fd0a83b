"""What an operation answers: a document as chunks of bytes, and facts about it. Protocols make a response of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mapsos.web.messages import Chunk


@dataclass(frozen=True)
class AnswerFacts:
    """What logs, metrics, quotas and jobs want to know of an answer.

    Attributes
    ----------
    count_rows
        Returns how many observations the chunks have brought so far.
    max_rows
        The most observations that the answer has: what is beyond is cut off (maxfeatures); None for no such limit.
    """

    count_rows: Callable[[], int] = lambda: 0
    max_rows: int | None = None


@dataclass(frozen=True)
class Answer:
    """One document, or where it is.

    Attributes
    ----------
    media_type
        The document's media type with its parameters.
    chunks
        Read once; where it has a ``close`` method, that is called in any case. An exception out of it means that the
        document is broken off.
    file_name
        The name under which the document is saved, None for one that is shown.
    location
        The URL of the document where somebody else has it: then there are no chunks.
    compressible
        Whether compressing the document is worth it.
    is_tagged
        Whether the whole document is there, so that it can have an entity tag.
    facts
        What is known of the observations in it.
    """

    media_type: str = ""
    chunks: Iterable[Chunk] = ()
    file_name: str | None = None
    location: str | None = None
    compressible: bool = True
    is_tagged: bool = False
    facts: AnswerFacts = AnswerFacts()

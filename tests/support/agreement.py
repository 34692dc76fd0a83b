"""Whether two answers hold the same observations: read as streams, compared as multisets whatever their order."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from tests.support.processes import Program, ProgramError, start_program

OM = "{http://www.opengis.net/om/1.0}"
GML = "{http://www.opengis.net/gml}"
SWE = "{http://www.opengis.net/swe/1.0.1}"
HREF = "{http://www.w3.org/1999/xlink}href"
COORDINATES = frozenset({f"{GML}pos", f"{GML}posList", f"{GML}coordinates"})

RECORD_MARK = b",S"
"""Stands once in each record of om:Observation: before the name of the station."""

Contents = Counter[tuple[Any, ...]]


class DisagreementError(Exception):
    """The two programs do not answer with the same observations: there is nothing to time."""


@contextmanager
def reading(program: Program) -> Iterator[IO[bytes]]:
    """The standard output of a program after its CGI header, if there is one. Raises ProgramError if it fails."""
    read, write = os.pipe()
    process = start_program(program, write)
    os.close(write)
    with os.fdopen(read, "rb", buffering=1 << 20) as output:
        while not output.peek(1)[:1].startswith(b"<") and output.readline():
            pass
        yield output
    if process.wait() != 0:
        raise ProgramError(f"{' '.join(program.command)} ended with {process.returncode}")


def read_measurements(document: IO[bytes], places: int | None = 6) -> Contents:
    """Count om:Measurement members by procedure, time, coordinates (so many decimals, None for none), and values."""
    counts: Contents = Counter()
    for member in _iterate(document, f"{OM}member"):
        time = next(member.iter(f"{GML}timePosition")).text
        procedure = next(member.iter(f"{OM}procedure")).get(HREF)
        row = next(iter(next(member.iter(f"{GML}featureMember"))))
        coordinates: tuple[float, ...] = ()
        values = []
        for part in row:
            if not isinstance(part.tag, str) or part.tag == f"{GML}boundedBy":
                continue
            if part.tag.endswith("msGeometry"):
                coordinates += _read_coordinates(part, places)
            else:
                values.append((part.tag.rpartition("}")[2], part.text or ""))
        counts[(procedure, time, coordinates, tuple(values))] += 1
    return counts


def read_records(document: IO[bytes]) -> Contents:
    """Count the records of om:Observation members by procedure, names of fields, and text of the record."""
    counts: Contents = Counter()
    for member in _iterate(document, f"{OM}member"):
        procedure = next(member.iter(f"{OM}procedure")).get(HREF)
        fields = tuple(field.get("name") for field in member.iter(f"{SWE}field"))
        result = next(member.iter(f"{OM}result"))
        for record in (result.text or "").split("\n"):
            counts[(procedure, fields, record)] += 1
    return counts


def read_procedures(document: IO[bytes]) -> Contents:
    """Count the procedures of a capabilities document."""
    tag = "{http://www.opengis.net/sos/1.0}procedure"
    return Counter((element.get(HREF),) for element in _iterate(document, tag))


def count_members(document: IO[bytes]) -> int:
    """How many observations: om:member elements, or records where they stand in blocks."""
    marks = (b"<om:member>", RECORD_MARK)
    counts = [0, 0]
    rest = [b"", b""]
    while chunk := document.read(1 << 20):
        for place, mark in enumerate(marks):
            # What a mark may begin with at the end of a chunk is looked at again, and is too short to hold one.
            text = rest[place] + chunk
            counts[place] += text.count(mark)
            rest[place] = text[1 - len(mark) :]
    return max(counts)


def compare(ours: Callable[[], Contents], theirs: Callable[[], Contents], what: str) -> int:
    """Read two answers at once and compare them. Gives the number of observations; raises DisagreementError."""
    answers: list[Contents | BaseException] = [Counter(), Counter()]

    def fill(place: int, read: Callable[[], Contents]) -> None:
        try:
            answers[place] = read()
        except BaseException as error:
            answers[place] = error

    threads = [threading.Thread(target=fill, args=pair) for pair in enumerate((ours, theirs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, answer in zip(("mapsos", "mapserv"), answers, strict=True):
        if isinstance(answer, BaseException):
            raise DisagreementError(f"{what}: no answer of {name} to compare: {answer!r}") from answer
    left, right = answers
    assert not isinstance(left, BaseException)
    assert not isinstance(right, BaseException)
    if not left:
        raise DisagreementError(f"{what}: mapsos answers with no observations")
    if left != right:
        raise DisagreementError(
            f"{what}: {left.total()} observations of mapsos, {right.total()} of mapserv; "
            f"only mapsos: {next(iter(left - right), None)}; only mapserv: {next(iter(right - left), None)}"
        )
    return left.total()


def _iterate(document: IO[bytes], tag: str) -> Iterator[Any]:
    from lxml import etree

    for _, element in etree.iterparse(document, tag=tag, huge_tree=True):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _read_coordinates(geometry: Any, places: int | None) -> tuple[float, ...]:
    if places is None:
        return ()
    return tuple(
        round(float(number), places)
        for element in geometry.iter(*COORDINATES)
        for number in (element.text or "").replace(",", " ").split()
    )

from __future__ import annotations

import pyarrow as pa
import pytest

from mapsos.encodings import joining
from mapsos.encodings.joining import join_chunks, join_rows
from mapsos.encodings.template import Optional, Slot, Template

pytestmark = pytest.mark.usefixtures("text_loops")


def column(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


def test_constants_and_columns_alternate() -> None:
    filled = Template("<", Slot("a"), "|", Slot("b"), ">").fill(2, {"a": column("1", "2"), "b": column("x", "")}, {})
    assert b"".join(filled) == b"<1|x><2|>"


def test_a_slot_may_hold_pieces() -> None:
    filled = Template("<", Slot("a"), ">").fill(2, {"a": ["(", column("1", "2"), ")"]}, {})
    assert b"".join(filled) == b"<(1)><(2)>"


@pytest.mark.parametrize(
    ("present", "expected"),
    [(True, b"[1];[2];"), (False, b"-;-;"), (pa.array([False, True]), b"-;[2];")],
)
def test_optional_parts(present: pa.Array | bool, expected: bytes) -> None:
    optional = Template(Optional("a", ("[", Slot("a"), "]"), otherwise="-"), ";")
    assert b"".join(optional.fill(2, {"a": column("1", "2")}, {"a": present})) == expected


def test_optional_parts_within_optional_parts() -> None:
    inner = Optional("b", ("b", Slot("b")))
    filled = Template(Optional("a", ("a", inner)), ";").fill(
        4,
        {"b": column("1", "2", "3", "4")},
        {"a": pa.array([True, True, False, False]), "b": pa.array([True, False, True, False])},
    )
    assert b"".join(filled) == b"ab1;a;;;"


def test_a_template_without_columns() -> None:
    assert b"".join(Template("ab", Optional("c", ("d",))).fill(3, {}, {"c": False})) == b"ababab"
    assert join_rows(2, []).to_pylist() == ["", ""]


def test_a_separator_stands_between_all_pieces() -> None:
    pieces = ["", column("1", "2"), "", "a", column("", "x"), ""]
    assert b"".join(join_chunks(2, pieces, ",")) == b",1,,a,,,2,,a,x,"
    assert b"".join(join_chunks(2, ["", "b"], ",")) == b",b,b"


def test_chunks_end_with_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "CHUNK_BYTES", 25)
    rows = pa.array([f"{number:09d}" for number in range(10)], pa.large_string())
    chunks = list(join_chunks(10, [rows, "\n"]))
    assert [len(chunk) for chunk in chunks] == [20] * 5
    assert b"".join(chunks).decode().split() == rows.to_pylist()


def test_a_row_longer_than_a_chunk_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "CHUNK_BYTES", 5)
    assert list(join_chunks(2, ["abc", column("defg", "hijk")])) == [b"abcdefg", b"abchijk"]


def test_parts_of_larger_columns() -> None:
    whole = column("a", "b", "c", "d")
    assert b"".join(join_chunks(2, [whole.slice(1, 2), "."])) == b"b.c."

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import TokenKind, decode, is_decoded, read_tokens, split_text


def texts(text: str) -> list[str]:
    return [token.text for token in split_text(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NAME 'it\\'s'", ["NAME", "it's"]),
        (r'"a \"q\" \\ \n"', ["a \"q\" \\ \\n"]),
        ("\"two\nlines\"", ["two\nlines"]),
        ("a#comment\nb", ["a", "b"]),
        ('"a#b" c', ["a#b", "c"]),
        ("a /* b\n c */ d", ["a", "d"]),
        ("COLOR 255 0 -1.5", ["COLOR", "255", "0", "-1.5"]),
        ("init=epsg:4326 END", ["init=epsg:4326", "END"]),
        ('NAME "x"END', ["NAME", "x", "END"]),
        ("/vsizip/a.zip/b.shp", ["/vsizip/a.zip/b.shp"]),
        ("SIZE [a]", ["SIZE", "a"]),
        ("\r\nA\r\nB", ["A", "B"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "kind", "inner", "ignore_case"),
    [
        ('"a"', TokenKind.STRING, "a", False),
        ('"a"i', TokenKind.STRING, "a", True),
        ("`2001`", TokenKind.STRING, "2001", False),
        ("/^a.*b$/", TokenKind.REGEX, "^a.*b$", False),
        ("/^a/i", TokenKind.REGEX, "^a", True),
        ("/abc/", TokenKind.REGEX, "abc", False),
        ("{a,b c}", TokenKind.LIST, "a,b c", False),
        ("{it's,b}", TokenKind.LIST, "it's,b", False),
        ("([a] = ')' AND (\"[b]\" ~ \"(\"))", TokenKind.EXPRESSION, "[a] = ')' AND (\"[b]\" ~ \"(\")", False),
        ("([a] = 1 AND\n [b] = 2)", TokenKind.EXPRESSION, "[a] = 1 AND\n [b] = 2", False),
    ],
)
def test_kinds(text: str, kind: TokenKind, inner: str, ignore_case: bool) -> None:
    (token,) = split_text(text)
    assert (token.kind, token.text, token.ignore_case) == (kind, inner, ignore_case)


def test_lines_count_through_strings_comments_and_expressions() -> None:
    tokens = split_text('A "x\ny" B /* \n\n */ C # c\n(1\n=1) D', "f")
    assert [(token.text, token.line) for token in tokens] == [
        ("A", 1), ("x\ny", 1), ("B", 2), ("C", 4), ("1\n=1", 5), ("D", 6),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['A\n"never', "A\n'never", "A\n([a] = 1", "A\n{a,b", "A\n)"])
def test_what_never_closes_is_told_with_its_line(text: str) -> None:
    with pytest.raises(MapfileError) as caught:
        list(split_text(text, "f.map"))
    assert (caught.value.file, caught.value.line) == ("f.map", 2)


def test_includes_nest_and_are_relative_to_the_map(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.map").write_text('MAP\nInclude "sub/b.inc"\nEND')
    (tmp_path / "sub" / "b.inc").write_text("# b\nB include 'sub/c.inc' B2")
    (tmp_path / "sub" / "c.inc").write_text("\n\nC")
    tokens, files = read_tokens(str(tmp_path / "a.map"))
    places = [(token.text, Path(token.file).name, token.line) for token in tokens]
    assert places == [
        ("MAP", "a.map", 1), ("B", "b.inc", 2), ("C", "c.inc", 3), ("B2", "b.inc", 2), ("END", "a.map", 3),
    ]  # fmt: skip
    assert [Path(file.path).name for file in files] == ["a.map", "b.inc", "c.inc"]


@pytest.mark.parametrize(
    ("text", "part"),
    [('MAP\nINCLUDE "no.inc"', "no.inc"), ('MAP\nINCLUDE "a.map"', "deep"), ("MAP\nINCLUDE", "without")],
)
def test_includes_that_fail(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "a.map").write_text(text)
    with pytest.raises(MapfileError) as caught:
        read_tokens(str(tmp_path / "a.map"))
    assert caught.value.line == 2
    assert part in caught.value.message


def test_a_map_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MapfileError) as caught:
        read_tokens(str(tmp_path / "no.map"))
    assert caught.value.missing


def test_byte_order_mark_and_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    path.write_bytes(b'\xef\xbb\xbfMAP "caf\xe9"')
    (word, text), _ = read_tokens(str(path))
    assert word.text == "MAP"
    assert not is_decoded(text.text)
    assert decode(text.text, None) == "café"
    assert decode(text.text, "cp1251") == "cafй"
    assert decode(text.text, "no-such-encoding") == "café"
    assert decode("café", "latin-1") == "café"


@given(st.text())
def test_any_text_is_words_or_an_error(text: str) -> None:
    with contextlib.suppress(MapfileError):
        lines = [token.line for token in split_text(text)]
        assert lines == sorted(lines)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_quoted_comes_back(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert [token.text for token in split_text(f'"{quoted}" END')] == [text, "END"]

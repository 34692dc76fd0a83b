"""The words of documents, messages, comments and pages: none of the phrases that CONTRIBUTING.md replaces."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from .markdown import ROOT

PHRASES = {
    r"there (is|are|was|were) (no|none|nobody|nothing)": "X is missing, no X was found",
    r"(is|are|was|were) (no(?! (longer|more|less|later|earlier|larger|smaller|higher|lower|greater))|none)": "is not a",
    r"(some|no)body": "the caller, the client, the admin",
    r"whoever": "the caller, the client, users",
    r"(give|gives|given|giving|gave) out": "publish",
    r"(give|gives|tell|tells) (the|a|an|what|whether|which|how|of)": "return, report, state",
    r"(says|say) (neither|nothing|of|so|what|whether|which|how)|this says": "state, report, contain",
    r"(hand|hands|handed|handing) down": "push down",
    r"believ(e|es|ed|ing)": "trust",
    r"admit(s|ted|ting)?": "allow",
    r"refus(e|es|ed|ing|al|als)": "reject, rejected",
    r"(is|are|was|were) kept": "cached, stored",
    r"(is|are|was|were) met": "match",
    r"(is|are|was|were) asked (for|of)": "requested, queried",
    r"blanks?": "space",
    r"whole numbers?": "integer",
    r"of chance": "random",
    r"without regard to( letter)? case": "case-insensitive",
    r"for ever": "indefinitely, without a limit",
    r"by turns": "alternately",
    r"besides": "also, as well as",
    r"shall": "must, is",
    r"may not": "must not, might not",
    r"belongs? into": "belongs in, put into",
    r"in (its|their) place|(in|takes?) the place of": "instead, replaces",
    r"of (its|their) own": "separate, own",
    r"mended": "fixed",
    r"lasting": "with a duration",
}
"""Regular expressions of phrases (a space stands for any white space), each with what to write instead."""

DOCSTRINGS = {
    r"\AWhat\b": "name the thing, or begin with a verb",
    r"\AIt (is|does|has)\.\Z": "say what it returns, or nothing",
}
"""The same for docstrings alone."""

MAPSERVER_TEXTS: tuple[str, ...] = ()
"""Texts of MapServer that mapsos reproduces to the letter and that have one of the phrases; today none has."""

CODE_SPAN = re.compile(r"``.+?``|`[^`\n]+`", re.S)
SCRIPT_TEXT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.S)


def compile_phrase(phrase: str) -> re.Pattern[str]:
    """Return the expression of a phrase: whole words, in any case but that of ``None``."""
    words = phrase.replace(" ", r"\s+")
    return re.compile(rf"\b(?:{words})\b(?<!(?-i:None))", re.I)


COMPILED = {compile_phrase(phrase): instead for phrase, instead in PHRASES.items()}
COMPILED_FOR_DOCSTRINGS = {re.compile(phrase): instead for phrase, instead in DOCSTRINGS.items()}


def search(text: str, line: int, *, docstring: bool = False) -> Iterator[tuple[int, str, str]]:
    """Yield line, phrase and replacement for each finding in a text that begins in ``line``."""
    for known in MAPSERVER_TEXTS:
        text = text.replace(known, "")
    text = CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", "_", span[0]), text)
    expressions = COMPILED | COMPILED_FOR_DOCSTRINGS if docstring else COMPILED
    for expression, instead in expressions.items():
        for match in expression.finditer(text):
            yield line + text.count("\n", 0, match.start()), " ".join(match[0].split()), instead


def read_python(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and whether it is a docstring, for each string of several words and each block of comments."""
    tree = ast.parse(text)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            values = [part.value if isinstance(part, ast.Constant) else "_" for part in node.values]
            yield node.lineno, "".join(map(str, values)), False
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            is_docstring = id(node) in docstrings
            # A single word is a name, not a sentence.
            if is_docstring or " " in node.value:
                yield node.lineno, node.value, is_docstring
    block: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if block and block[-1].start[0] + 1 != token.start[0]:
                yield block[0].start[0], "\n".join(one.string[1:] for one in block), False
                block = []
            block.append(token)
    if block:
        yield block[0].start[0], "\n".join(one.string[1:] for one in block), False


def read_texts(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and whether it is a docstring, for all that people read in a file."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from read_python(text)
    elif path.suffix in (".js", ".c"):
        for match in SCRIPT_TEXT.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match[0], False
    elif path.suffix == ".md":
        yield 1, re.sub(r"^```.*?^```$", lambda block: re.sub(r"[^\n]", "", block[0]), text, flags=re.M | re.S), False
    else:
        yield 1, text, False


def list_findings(path: Path) -> list[str]:
    """Return what is to be rewritten in a file, a line each."""
    found = [
        (line, f"{path.relative_to(ROOT)}:{line}: {phrase!r}; write: {instead}")
        for start, text, docstring in read_texts(path)
        for line, phrase, instead in search(text, start, docstring=docstring)
    ]
    return [finding for _, finding in sorted(set(found))]


def list_places() -> dict[str, list[Path]]:
    """Return the files of each place: a document, or a folder of the package without the folders in it."""
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {path.relative_to(ROOT).as_posix(): [path] for path in documents}
    for path in sorted((ROOT / "mapsos").rglob("*")):
        if path.suffix in (".py", ".js", ".c", ".html"):
            found.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(path)
    return found


PLACES = list_places()


@pytest.mark.parametrize("place", PLACES)
def test_the_words_are_those_of_the_field(place: str) -> None:
    found = [finding for path in PLACES[place] for finding in list_findings(path)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ('"""What proxies say."""', ["What"]),
        ('def f():\n    """It is."""', ["It is."]),
        ('raise E("there is "\n    "no map")', ["is no", "there is no"]),
        ('raise E(f"{x} is no map")', ["is no"]),
        ("# somebody\n# may\n# not", ["may not", "somebody"]),
        ('x = "None if there is none"', ["is none", "there is none"]),
        ('x = "None if it is None; is no longer there; `is no` and ``refused``"', []),
        ('refused = d["refused"]', []),
    ],
)
def test_phrases_are_found(text: str, phrases: list[str]) -> None:
    found = {
        phrase
        for line, part, is_docstring in read_python(text)
        for _, phrase, _ in search(part, line, docstring=is_docstring)
    }
    assert sorted(found, key=str.lower) == sorted(phrases, key=str.lower)

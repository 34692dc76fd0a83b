"""The texts of pages, read from what pages are made of: templates, scripts, modules, and labels of formats."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment

import mapsos
from mapsos.encodings.registry import FORMATS

PACKAGE = Path(mapsos.__file__).parent
PAGES = PACKAGE / "pages"
MODULES = [*PAGES.glob("*.py"), *PACKAGE.glob("page_*.py")]
_WRITE = re.compile(r'wording\.write\(\s*("(?:[^"\\]|\\.)*")')
_COUNT = re.compile(r'wording\.count\(\s*[\w.]+,\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")')


def list_page_texts() -> set[str]:
    """The texts that the server writes."""
    labels = {row.label for row in FORMATS if row.label is not None and row.translated}
    return {*_list_template_texts(), *_list_module_texts(), *labels}


def _list_template_texts() -> Iterator[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for path in PAGES.glob("templates/*.html"):
        for line, function, found in environment.extract_translations(path.read_text("utf-8")):  # type: ignore[attr-defined]
            # Values that are put into a text come as None.
            text, *values = (found,) if isinstance(found, str) else found
            assert isinstance(text, str), f"{path.name}:{line}: {function} of what is no text"
            assert not any(values), f"{path.name}:{line}: {function} of more than a text"
            yield text


def _list_module_texts() -> Iterator[str]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "gettext":
                (text,) = node.args
                assert isinstance(text, ast.Constant), f"{path.name}:{node.lineno}: gettext of what is no text"
                yield text.value


def list_script_texts() -> dict[str, str | None]:
    """The texts that scripts write, each with what it is for one where a number decides about its form."""
    found: dict[str, str | None] = {}
    for path in PAGES.glob("static/*.js"):
        script = path.read_text("utf-8")
        texts, counted = _WRITE.findall(script), _COUNT.findall(script)
        assert len(texts) == script.count("wording.write("), f"{path.name}: wording.write of what is no text"
        assert len(counted) == script.count("wording.count("), f"{path.name}: wording.count of what are no texts"
        found |= dict.fromkeys(map(json.loads, texts))
        found |= {json.loads(other): json.loads(one) for one, other in counted}
    return found


def read_wording(language: str) -> dict[str, dict[str, str | dict[str, str]]]:
    found: dict[str, dict[str, str | dict[str, str]]] = json.loads(
        (PAGES / "languages" / f"{language}.json").read_text("utf-8")
    )
    return found

"""What pages say in the languages that there is wording for, and which of them a service's pages are in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mapsos.pages.language_tags import read_language, read_tag

# Norwegian without more is bokmål.
_SAME = {"no": "nb"}
_FOLDER = Path(__file__).parent / "languages"


@dataclass(frozen=True, eq=False)
class Wording:
    """The texts of pages in a language, each by the text in English, which stands for itself where there is no other.

    ``pages`` are those that the server writes, ``scripts`` those that scripts write; where a number decides about the
    form, a text has one for each category of plurals (Unicode CLDR), by the category's name, and is found by its
    English plural. ``%(name)s`` is where a value goes.
    """

    language: str = "en"
    pages: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        return self.pages.get(text, text)


ENGLISH = Wording()


def find_wording(tag: str | None) -> Wording | None:
    """The wording for a tag of BCP 47, whatever its region is; None where there is none."""
    if tag is None:
        return None
    language = read_language(tag)
    return _read_wording(_SAME.get(language, language))


@dataclass(frozen=True)
class PageLanguage:
    """The language of pages: ``tag`` is that of their wording, ``content`` that of the mapfile where it is another."""

    wording: Wording = ENGLISH
    tag: str = "en"
    content: str | None = None


def choose_language(said: str) -> PageLanguage:
    """The language of the pages of a service whose ``sos_language`` is ``said``: English where it has no wording."""
    tag = read_tag(said)
    wording = find_wording(tag)
    if tag is None or wording is None:
        return PageLanguage(content=tag)
    _, hyphen, region = tag.partition("-")
    return PageLanguage(wording, f"{wording.language}{hyphen}{region}")


def share_language(said: Iterable[str]) -> PageLanguage:
    """The language of a page about services whose ``sos_language`` are these: the one that all have, else English."""
    found = {choose_language(text) for text in said}
    if len({language.wording.language for language in found}) != 1:
        return PageLanguage()
    tags = {language.tag for language in found}
    wording = next(iter(found)).wording
    return PageLanguage(wording, tags.pop() if len(tags) == 1 else wording.language)


def list_languages() -> list[str]:
    """The languages that there is wording for, as codes of ISO 639-1, in alphabetic order."""
    return sorted(["en", *(path.stem for path in _FOLDER.glob("*.json"))])


@lru_cache
def _read_wording(language: str) -> Wording | None:
    """The wording of a language by its code; a file is read once a process, when a page is first asked for in it."""
    if language == ENGLISH.language:
        return ENGLISH
    path = _FOLDER / f"{language}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    return Wording(language, found.get("pages", {}), found.get("scripts", {}))

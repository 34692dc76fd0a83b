"""Translations of the pages, and the choice of one for a service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

# Norwegian without more is bokmål.
_SAME = {"no": "nb"}
_FOLDER = Path(__file__).parent / "languages"
_LANGUAGE = re.compile(r"([a-z]{2,3})(-.*)?")
# A tag as BCP 47 wants it written, if its language is one that there is wording for.
_PLAIN_TAG = re.compile(r"([a-z]{2})(-[A-Z]{2})?")


@dataclass(frozen=True, eq=False)
class Wording:
    """The texts of pages in a language, each by the text in English, which is used if it is not translated.

    ``translations`` are those of texts that the server writes. ``scripts`` is the JSON of those that scripts write: one
    text for each, or where a number decides about the form one for each category of plurals (Unicode CLDR), by the
    category's name. ``%(name)s`` is where a value goes.
    """

    language: str = "en"
    translations: NullTranslations = field(default_factory=NullTranslations)
    scripts: str = "{}"

    def gettext(self, text: str) -> str:
        """Return the text in this language."""
        return self.translations.gettext(text)


ENGLISH = Wording()


@lru_cache
def read_tag(text: str) -> str | None:
    """Return the BCP 47 tag of a language from a tag or an ISO 639 code; None if the text is neither.

    The tag is the shortest and newest that means the same: ``ger-AT`` is ``de-AT``, ``iw`` is ``he``. An underscore
    counts as a hyphen, as in names of locales.
    """
    plain = _PLAIN_TAG.fullmatch(text)
    if plain is not None and _read_wording(plain[1]) is not None:
        # Most tags are like this, and the library for the others takes 20 ms to import.
        return text
    from langcodes import standardize_tag
    from langcodes.tag_parser import LanguageTagError

    try:
        tag = standardize_tag(text.strip())
    except (LanguageTagError, RecursionError):
        # The latter is for a text of a thousand subtags.
        return None
    return tag if _LANGUAGE.fullmatch(tag) else None


def find_wording(tag: str | None) -> Wording | None:
    """Return the wording for a tag of BCP 47, whatever its region is; None if pages lack its language."""
    if tag is None:
        return None
    language = tag.partition("-")[0]
    return _read_wording(_SAME.get(language, language))


@dataclass(frozen=True)
class PageLanguage:
    """The language of pages: ``tag`` is that of their wording, ``content`` that of the mapfile where it is another."""

    wording: Wording = ENGLISH
    tag: str = "en"
    content: str | None = None


def choose_language(said: str) -> PageLanguage:
    """Return the language of the pages of a service whose ``sos_language`` is ``said``: English without wording."""
    tag = read_tag(said)
    wording = find_wording(tag)
    if tag is None or wording is None:
        return PageLanguage(content=tag)
    _, hyphen, region = tag.partition("-")
    return PageLanguage(wording, f"{wording.language}{hyphen}{region}")


def share_language(said: Iterable[str]) -> PageLanguage:
    """Return the language of a page about services whose ``sos_language`` are these: that of them all, else English."""
    found = {choose_language(text) for text in said}
    if len({language.wording.language for language in found}) != 1:
        return PageLanguage()
    tags = {language.tag for language in found}
    wording = next(iter(found)).wording
    return PageLanguage(wording, tags.pop() if len(tags) == 1 else wording.language)


def list_languages() -> list[str]:
    """Return the languages that there is wording for, as codes of ISO 639-1, in alphabetic order."""
    return sorted(["en", *(path.stem for path in _FOLDER.glob("*.mo"))])


@lru_cache
def _read_wording(language: str) -> Wording | None:
    """Return the wording of a language by its code; read once in a process, when the first page in it is requested."""
    if language == ENGLISH.language:
        return ENGLISH
    path = _FOLDER / f"{language}.mo"
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return Wording(language, GNUTranslations(file), path.with_suffix(".json").read_text("utf-8"))

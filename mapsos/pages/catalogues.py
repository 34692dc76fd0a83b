"""Translators' catalogues: updated with the texts of pages, and compiled to the files that pages read.

``python -m mapsos.pages.catalogues`` is the translators' command. It needs Babel, which serving does not.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

FOLDER = Path(__file__).parent / "languages"
_PACKAGE = Path(__file__).parents[1]

_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract"), ("**.js", "javascript")]
# A template that cannot be read is an error, not a template without texts.
_OPTIONS = {"**.html": {"silent": "false"}}
# Each function that is given a text, by where among its arguments that is. gettext_noop marks a text that stands in a
# table and is translated later.
_KEYWORDS = {"_": (1,), "gettext": (1,), "gettext_noop": (1,), "wording.write": (1,), "wording.count": (2, 3)}

# Numbers of every plural form that any language has for integers.
_NUMBERS = (*range(201), 1_000, 10_000, 100_000, 1_000_000)


class CatalogueError(Exception):
    """A catalogue that cannot be compiled. The message names the language and the text."""


@lru_cache
def extract_texts() -> Catalog:
    """Return the English texts of the templates, modules and scripts of the package."""
    template = Catalog(project="mapsos", version="pages")
    found = extract_from_dir(_PACKAGE, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=("Translators:",))
    for file, line, text, comments, context in found:
        template.add(text, locations=[(file, line)], auto_comments=comments, context=context)
    return template


def read_catalogue(path: Path) -> Catalog:
    """Return the catalogue of a file ``LANGUAGE.po``."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def list_untranslated(catalogue: Catalog) -> list[Message]:
    """Return the texts that pages show in English because the catalogue has no translation, or only a guessed one."""
    return [message for message in catalogue if message.id and (message.fuzzy or not all(list_forms(message)))]


def list_forms(message: Message) -> list[str]:
    """Return the translation of a text: one, or as many as the language has plural forms."""
    return [message.string] if isinstance(message.string, str) else [form or "" for form in message.string or ("",)]


def update_catalogue(path: Path) -> Catalog:
    """Update the catalogue of a file with the texts of the package, or create it, and return it.

    A new text that is similar to a translated one gets its translation, marked as fuzzy. Texts that pages no longer
    show are removed.
    """
    catalogue = read_catalogue(path) if path.exists() else Catalog(locale=path.stem, project="mapsos", version="pages")
    catalogue.update(extract_texts(), update_creation_date=False)
    catalogue.fuzzy = False
    with path.open("wb") as file:
        write_po(file, catalogue, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return catalogue


def compile_catalogues(source: Path, target: Path) -> None:
    """Write what pages read, ``LANGUAGE.mo`` and ``LANGUAGE.json``, for each ``LANGUAGE.po`` of a folder.

    The former is for `gettext`, the latter has the texts of scripts, as ``static/wording.js`` wants them.

    Raises
    ------
    CatalogueError
        Where a translation would fail when values are put into it, or the plural forms are not those of the language.
    """
    for path in sorted(source.glob("*.po")):
        catalogue = read_catalogue(path)
        for message, errors in catalogue.check():
            raise CatalogueError(f"{path.stem}: {message.id!r}: {errors[0]}")
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        (target / f"{path.stem}.mo").write_bytes(compiled.getvalue())
        compiled.seek(0)
        texts = _read_script_texts(catalogue, GNUTranslations(compiled))
        text = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
        (target / f"{path.stem}.json").write_text(text, "utf-8")


def _read_script_texts(catalogue: Catalog, translations: GNUTranslations) -> dict[str, str | dict[str, str]]:
    """Return the texts of scripts by the English text.

    A text with plural forms has one for each category that Unicode CLDR has in the language, since that is what
    browsers know of plurals: a page must not evaluate the expression of the catalogue's ``Plural-Forms``.
    """
    found: dict[str, str | dict[str, str]] = {}
    categorize = Locale.parse(catalogue.locale_identifier).plural_form
    for message in catalogue:
        if not any(file.endswith(".js") for file, _ in message.locations):
            continue
        if isinstance(message.id, str):
            found[message.id] = translations.gettext(message.id)
            continue
        one, other = message.id
        forms: dict[str, str] = {}
        for number in _NUMBERS:
            form = translations.ngettext(one, other, number)
            if forms.setdefault(categorize(number), form) != form:
                raise CatalogueError(
                    f"{catalogue.locale_identifier}: {one!r}: Plural-Forms has another form for {number} than for "
                    f"other numbers of the category {categorize(number)!r} of Unicode CLDR"
                )
        # Scripts take "other" for a category that is left out.
        usual = forms.get("other")
        found[one] = {category: form for category, form in forms.items() if category == "other" or form != usual}
    return found


def main(languages: Sequence[str]) -> int:
    """Update and compile all catalogues, after beginning those of further languages, and return the exit code."""
    for language in languages:
        if not _is_language(language):
            print(f"{language!r} is not the shortest code that ISO 639 has for a language, such as sv", file=sys.stderr)
            return 2
    for path in sorted({*FOLDER.glob("*.po"), *(FOLDER / f"{language}.po" for language in languages)}):
        catalogue = update_catalogue(path)
        print(f"{path}: {len(catalogue)} texts, {len(list_untranslated(catalogue))} to translate")
    try:
        compile_catalogues(FOLDER, FOLDER)
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _is_language(text: str) -> bool:
    try:
        return Locale.parse(text).language == text
    except (UnknownLocaleError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

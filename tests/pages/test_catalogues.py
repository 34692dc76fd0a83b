"""Catalogues of translations: each has every text of the pages and no other, and what is compiled of it is current."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from jinja2 import Environment

from mapsos.pages import catalogues
from mapsos.pages.catalogues import (
    FOLDER,
    CatalogueError,
    compile_catalogues,
    extract_texts,
    list_forms,
    list_untranslated,
    main,
    read_catalogue,
    update_catalogue,
)

LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.po"))
PAGES = FOLDER.parent
ONE, OTHER = "%(count)s observation.", "%(count)s observations."


def list_texts(catalogue: Catalog) -> dict[str | tuple[str, ...], bool]:
    """The texts of a catalogue, and of each whether scripts write it."""
    return {
        read_id(message): any(file.endswith(".js") for file, _ in message.locations)
        for message in catalogue
        if message.id
    }


def read_id(message: Message) -> str | tuple[str, ...]:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def list_english(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def list_placeholders(text: str) -> list[str]:
    assert text.count("%") == text.count("%(") == len(re.findall(r"%\(\w+\)s", text)), text
    return sorted(re.findall(r"%\((\w+)\)s", text))


def write_catalogue(
    path: Path, *messages: tuple[str | tuple[str, str], str | tuple[str, ...]], plural: str = ""
) -> Path:
    """A catalogue with translations of scripts, and perhaps another expression of its plural forms."""
    catalogue = Catalog(locale=path.stem, fuzzy=False)
    for text, translation in messages:
        catalogue.add(text, translation, locations=[("pages/static/plot.js", 1)])
    with path.open("wb") as file:
        write_po(file, catalogue)
    if plural:
        written = path.read_text("utf-8")
        assert "plural=(n != 1);" in written
        path.write_text(written.replace("plural=(n != 1);", f"plural={plural};"), "utf-8")
    return path


def test_there_are_texts_of_every_origin() -> None:
    texts = list_texts(extract_texts())
    # A template's, one of a macro's arguments, a module's, a script's, and one with two forms.
    for text, of_script in (
        ("Skip to content", False),
        ("ids separated by commas", False),
        ("The request failed", False),
        ("no type", True),
        ((ONE, OTHER), True),
        ("Time", True),
    ):
        assert texts[text] is of_script
    assert len(texts) > 150


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    catalogue = read_catalogue(FOLDER / f"{language}.po")
    assert list_texts(catalogue) == list_texts(extract_texts())
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    catalogue = read_catalogue(FOLDER / f"{language}.po")
    assert not [message.id for message in list_untranslated(catalogue)]
    for message in catalogue:
        if not message.id:
            continue
        forms = list_forms(message)
        assert len(forms) == (1 if isinstance(message.id, str) else catalogue.num_plurals)
        english = list_english(message)
        for text in (*forms, *english):
            assert text.strip() == text
            assert list_placeholders(text) == list_placeholders(english[-1]), text
            assert not set(text) & set('<>"&'), f"{text}: texts go into attributes and elements as they are"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_not_english(language: str) -> None:
    catalogue = read_catalogue(FOLDER / f"{language}.po")
    same = [message.id for message in catalogue if message.id and message.id in list_forms(message)]
    assert len(same) < 20, same


def test_what_pages_read_is_current(tmp_path: Path) -> None:
    compile_catalogues(FOLDER, tmp_path)
    compiled = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(compiled) == 2 * len(LANGUAGES)
    found = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in (".mo", ".json")}
    stale = {name for name in {*compiled, *found} if compiled.get(name) != found.get(name)}
    assert not stale, "run python -m mapsos.pages.catalogues"


@pytest.mark.parametrize(
    ("language", "number", "text"),
    [
        ("de", 1, "%(count)s Beobachtung."),
        ("de", 0, "%(count)s Beobachtungen."),
        ("fr", 0, "%(count)s observation."),
        ("fr", 2, "%(count)s observations."),
        ("pt", 0, "%(count)s observação."),
        ("es", 0, "%(count)s observaciones."),
        ("pl", 1, "%(count)s obserwacja."),
        ("pl", 2, "%(count)s obserwacje."),
        ("pl", 5, "%(count)s obserwacji."),
        ("pl", 12, "%(count)s obserwacji."),
        ("pl", 22, "%(count)s obserwacje."),
        ("pl", 0, "%(count)s obserwacji."),
        ("pl", 101, "%(count)s obserwacji."),
    ],
)
def test_a_number_has_the_form_of_its_language(language: str, number: int, text: str) -> None:
    with (FOLDER / f"{language}.mo").open("rb") as file:
        assert GNUTranslations(file).ngettext(ONE, OTHER, number) == text


@pytest.mark.parametrize(
    ("language", "categories"),
    [("pl", ["few", "many", "one"]), *((name, ["one", "other"]) for name in ("de", "fr", "pt"))],
)
def test_scripts_have_a_form_for_each_category(language: str, categories: list[str]) -> None:
    texts = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    assert sorted(texts[ONE]) == categories


@pytest.mark.parametrize(
    ("translation", "plural", "message"),
    [
        (
            ("%(number)s Beobachtung.", "%(number)s Beobachtungen."),
            "",
            r"^de: .*observation.*: unknown named placeholder",
        ),
        (("%(count)s Beobachtung.", "%(count)s Beobachtungen."), "(n > 1)", r"^de: .*another form for 2 than"),
    ],
)
def test_a_catalogue_that_would_fail_on_a_page_is_not_compiled(
    tmp_path: Path, translation: tuple[str, ...], plural: str, message: str
) -> None:
    write_catalogue(tmp_path / "de.po", ((ONE, OTHER), translation), plural=plural)
    with pytest.raises(CatalogueError, match=message):
        compile_catalogues(tmp_path, tmp_path)


def test_an_update_marks_what_is_to_be_translated(tmp_path: Path) -> None:
    path = write_catalogue(
        tmp_path / "de.po",
        ("Zoom out", "Verkleinern"),
        ("Nothing says this", "x"),
        ("There was an answer: %(why)s", "Da!"),
    )
    catalogue = update_catalogue(path)
    assert list_texts(catalogue) == list_texts(read_catalogue(path)) == list_texts(extract_texts())
    assert "Nothing says this" not in path.read_text("utf-8")
    left = {message.id: message for message in list_untranslated(read_catalogue(path))}
    assert len(left) == len(extract_texts()) - 1
    assert "Zoom out" not in left
    assert left["The server did not answer: %(reason)s"].fuzzy
    compile_catalogues(tmp_path, tmp_path)
    texts = json.loads((tmp_path / "de.json").read_text("utf-8"))
    assert texts["Zoom out"] == "Verkleinern"
    # A guess is not shown.
    assert texts["The server did not answer: %(reason)s"] == "The server did not answer: %(reason)s"


def test_an_update_without_news_changes_no_text(tmp_path: Path) -> None:
    path = tmp_path / "pl.po"
    path.write_bytes((FOLDER / "pl.po").read_bytes())
    update_catalogue(path)
    before, after = read_catalogue(FOLDER / "pl.po"), read_catalogue(path)
    assert [(message.id, message.string) for message in before][1:] == [(one.id, one.string) for one in after][1:]
    assert before.plural_expr == after.plural_expr


def test_the_command_begins_a_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    assert main(["sv"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sv.json", "sv.mo", "sv.po"]
    count = len(extract_texts())
    assert capsys.readouterr().out == f"{tmp_path / 'sv.po'}: {count} texts, {count} to translate\n"
    for language in ("Swedish", "swe", "sv_SE"):
        assert main(["fi", language]) == 2
        assert repr(language) in capsys.readouterr().err
    assert not (tmp_path / "fi.po").exists()
    write_catalogue(tmp_path / "sv.po", (OTHER, "%(number)s observationer."))
    monkeypatch.setattr(catalogues, "update_catalogue", read_catalogue)
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("sv: ")


def list_calls_of_modules() -> Iterator[tuple[str, ast.expr]]:
    for path in PAGES.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = ("gettext", "gettext_noop")
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
                yield f"{path.name}:{node.lineno}", node.args[0]


def test_every_call_of_a_module_has_its_text() -> None:
    """Other calls than of a literal text are not extracted."""
    texts = list_texts(extract_texts())
    found = {
        where: text.value if isinstance(text, ast.Constant) else ast.unparse(text)
        for where, text in list_calls_of_modules()
    }
    assert len(found) > 10
    unknown = {where: text for where, text in found.items() if text not in texts}
    # Those that hand on what they are given.
    assert set(unknown.values()) == {"text", "message.id"}
    assert {where.split(":")[0] for where in unknown} == {"wording.py", "catalogues.py"}


def test_every_call_of_a_template_has_its_text() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for path in PAGES.glob("templates/*.html"):
        for line, function, found in environment.extract_translations(path.read_text("utf-8")):  # type: ignore[attr-defined]
            # Values that are put into a text come as None.
            text, *values = (found,) if isinstance(found, str) else found
            assert isinstance(text, str), f"{path.name}:{line}: {function} of what is no text"
            assert not any(values), f"{path.name}:{line}: {function} of more than a text"


def test_every_call_of_a_script_has_its_text() -> None:
    """A call within the arguments of another, or of what is not a literal text, is not extracted."""
    texts = list_texts(extract_texts())
    call = re.compile(r'wording\.(?:write|count)\((?:\s*[\w.]+,)?\s*("(?:[^"\\]|\\.)*")(?:,\s*("(?:[^"\\]|\\.)*"))?')
    for path in PAGES.glob("static/*.js"):
        script = path.read_text("utf-8")
        found = call.findall(script)
        assert len(found) == len(re.findall(r"wording\.(?:write|count)\(", script)), path.name
        for one, other in found:
            assert texts[(json.loads(one), json.loads(other)) if other else json.loads(one)], one

"""Pages in other languages: which language a page is in, and whole pages in German."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from lxml import html

from mapsos.app import Application
from mapsos.config.settings import Settings
from mapsos.pages import catalogues
from mapsos.pages.catalogues import extract_texts
from mapsos.pages.wording import choose_language, list_languages, read_tag, share_language
from tests.pages.addresses import PAGES
from tests.rest.conftest import ROOT, ask_application

from .conftest import word_map

LANGUAGES = [language for language in list_languages() if language != "en"]
FOLDER = catalogues.FOLDER.parent
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def read_translations() -> dict[str, str]:
    """The German texts of pages that are not the English ones."""
    with (catalogues.FOLDER / "de.mo").open("rb") as file:
        gettext = GNUTranslations(file).gettext
    texts = [message.id for message in extract_texts() if isinstance(message.id, str) and message.id]
    return {text: gettext(text) for text in texts if gettext(text) != text}


def test_there_are_the_languages_that_are_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "pages.md").read_text("utf-8")
    told = re.search(r"in the language of its `sos_language`: (.*?), and English without it", text, re.S)
    assert told is not None
    assert sorted(re.findall(r"`(\w+)`", told[1])) == list_languages() == sorted(["en", *LANGUAGES])


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("de", "de"),
        ("DE-at", "de-AT"),
        ("de_DE", "de-DE"),
        ("ger", "de"),
        ("deu-CH", "de-CH"),
        (" fr ", "fr"),
        ("fre", "fr"),
        ("fra-ca", "fr-CA"),
        ("jpn", "ja"),
        ("gsw", "gsw"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("de-1996", "de-1996"),
        ("iw", "he"),
        ("mo", "ro"),
        ("en-uk", "en-GB"),
        ("i-klingon", "tlh"),
        ("x-ours", None),
        ("english", None),
        ("123", None),
        ("de-" + "-".join(f"a{number:07}" for number in range(2000)), None),
        ("en-a-bbb-x-de", "en-a-bbb-x-de"),
        ("German", None),
        ("d", None),
        ("de-", None),
        ("de-a", None),
        ('de" onclick="x', None),
        ("de/../en", None),
        ("", None),
    ],
)
def test_a_tag_or_a_code_is_a_tag(said: str, tag: str | None) -> None:
    assert read_tag(said) == tag


@pytest.mark.parametrize(("said", "needed"), [("de", False), ("pt-BR", False), ("en-US", False), ("ger", True)])
def test_only_an_unusual_tag_costs_an_import(said: str, needed: bool) -> None:
    """And no page that of what translators need."""
    code = f"""
import sys
from mapsos.app import Application
from mapsos.pages.rendering import Site, render_page
from mapsos.pages.wording import choose_language
site = Site("", choose_language({said!r}))
values = {{"title": "", "named": False, "trail": (), "services": (), "formats": ()}}
assert render_page("services", site, values)
assert ("langcodes" in sys.modules, "babel" in sys.modules) == ({needed}, False)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("said", "wording", "tag", "content"),
    [
        ("en-US", "en", "en-US", None),
        ("eng", "en", "en", None),
        ("de", "de", "de", None),
        ("de-CH", "de", "de-CH", None),
        ("spa", "es", "es", None),
        ("ita", "it", "it", None),
        ("dut", "nl", "nl", None),
        ("nld", "nl", "nl", None),
        ("pt-BR", "pt", "pt-BR", None),
        ("por", "pt", "pt", None),
        ("no", "nb", "nb", None),
        ("nor", "nb", "nb", None),
        ("nob", "nb", "nb", None),
        ("pol", "pl", "pl", None),
        ("nn-NO", "en", "en", "nn-NO"),
        ("jpn", "en", "en", "ja"),
        ("French", "en", "en", None),
    ],
)
def test_the_language_of_a_page(said: str, wording: str, tag: str, content: str | None) -> None:
    language = choose_language(said)
    assert (language.wording.language, language.tag, language.content) == (wording, tag, content)


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ([], "en"),
        (["de"], "de"),
        (["de-DE", "de-DE"], "de-DE"),
        (["de-DE", "de-AT", "ger"], "de"),
        (["de", "fr"], "en"),
        (["de", "ja"], "en"),
        (["ja", "ko"], "en"),
    ],
)
def test_the_language_of_several_services(said: list[str], tag: str) -> None:
    language = share_language(said)
    assert (language.tag, language.content) == (tag, None)


def serve(folder: Path, **languages: str) -> Application:
    """An application with the weather in languages, each by the name of its map."""
    maps = {name: str(word_map(folder / f"{name}.map", language)) for name, language in languages.items()}
    return Application(Settings(maps=maps, map_no_path=True, mapfile=next(iter(maps.values())), cache=None))


def read_page(application: Application, path: str, status: int = 200) -> html.HtmlElement:
    path, _, query = path.partition("?")
    parameters = dict(part.split("=") for part in query.split("&")) if query else {}
    answer = ask_application(application, path, headers={"HTTP_ACCEPT": BROWSER}, **parameters)
    assert answer.status == status, answer.body
    return html.fromstring(answer.body)


def list_texts(page: html.HtmlElement) -> Iterator[str]:
    """What people read or hear of a page without scripts."""
    for element in page.iter():
        if element.tag not in ("code", "script", "style"):
            yield from (element.text or "", element.tail or "")
    yield from page.xpath("//@aria-label | //@title | //@placeholder | //@alt")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    languages = {language: language for language in LANGUAGES} | {"weather": "de-AT"}
    return serve(tmp_path_factory.mktemp("languages"), **languages)


KINDS = {name: path for name, path in PAGES.items() if path.startswith(ROOT) or name == "builder"}


@pytest.mark.parametrize("path", KINDS.values(), ids=KINDS)
def test_a_page_of_each_kind_is_in_german(application: Application, path: str) -> None:
    page = read_page(application, path)
    assert page.get("lang") == "de-AT"
    assert page.xpath("//a[@class='skip']/text()") == ["Zum Inhalt springen"]
    assert page.xpath("//nav[@aria-label='Navigationspfad']//a/text()")[0] == "Dienste"
    said = {text.strip() for text in list_texts(page)}
    translations = read_translations()
    # What scripts alone write is not there yet.
    assert not set(translations) & said
    assert len(said & set(translations.values())) >= 6
    for script in page.xpath("//script[contains(@src, '/wording.js')]"):
        assert json.loads(script.get("data-texts"))["Zoom in"] == "Vergrößern"
    scripts = [url.split("/static/")[1].split("?")[0] for url in page.xpath("//script/@src")]
    assert not scripts or scripts.index("wording.js") < min(scripts.index(own) for own in scripts if own in OWN)


OWN = ("builder.js", "map.js", "plot.js", "series.js")


def test_titles_are_in_german(application: Application) -> None:
    for path, title in (
        (f"{ROOT}/observations", "Beobachtungen"),
        (f"{ROOT}/features/query", "Objekte abfragen"),
        ("/_mapsos/builder/weather", "Anfragen zusammenstellen"),
        (f"{ROOT}/procedures/SFO", "SFO"),
    ):
        page = read_page(application, path)
        assert page.findtext(".//h1") == title
        assert page.findtext("head/title") == f"{title} – weather"


def test_values_stand_in_their_places(application: Application) -> None:
    page = read_page(application, f"{ROOT}/observations/query?offering=daily&resultRecordCount=3&resultOffset=3")
    (text,) = page.xpath("//section[@id='result']/p/text()")
    assert text == "Zeilen 4 bis 6. Es gibt weitere. Die Zeiten sind in UTC."
    page = read_page(application, f"{ROOT}/procedures/SFO")
    assert page.xpath("//a/text()[. = 'Air temperature als CSV']")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_heard_of_a_link_has_what_is_seen_of_it(application: Application, language: str) -> None:
    for path in KINDS.values():
        page = read_page(application, path.replace("weather", language))
        assert page.get("lang") == language
        for link in page.xpath("//a[@aria-label]"):
            assert link.text_content().casefold() in link.get("aria-label").casefold(), path


def test_an_error_of_a_service_is_in_its_language_but_for_the_message(application: Application) -> None:
    for path in (f"{ROOT}/procedures/nothing", f"{ROOT}/observations/query?where=x"):
        page = read_page(application, path, 404 if "nothing" in path else 400)
        assert (page.get("lang"), page.findtext(".//h1")) == ("de-AT", "Das hat nicht geklappt")
        assert page.xpath("//*[@role='alert']/@lang") == ["en"]
    page = read_page(application, "/nothing/exts/SosSOE", 404)
    assert (page.get("lang"), page.findtext(".//h1")) == ("en", "The request failed")


def test_the_list_of_services_is_in_the_language_of_all(application: Application, tmp_path: Path) -> None:
    page = read_page(application, "/arcgis/rest/services")
    assert (page.get("lang"), page.findtext(".//h1")) == ("en", "Services")
    page = read_page(serve(tmp_path, one="fr-CA", two="fra"), "/arcgis/rest/services")
    assert (page.get("lang"), page.findtext(".//h1")) == ("fr", "Services")
    assert page.xpath("//a/text()[. = 'Composer une requête']")


def test_a_language_without_wording_is_english_and_the_mapfile_s_texts_are_told_apart(tmp_path: Path) -> None:
    page = read_page(serve(tmp_path, weather="jpn"), ROOT)
    assert page.get("lang") == "en"
    assert page.xpath("//h1/@lang") == page.xpath("//p[@class='lead']/@lang") == ["ja"]
    assert page.xpath("//h2[text() = 'Offerings'][not(@lang)]")
    page = read_page(serve(tmp_path, weather="jpn"), f"{ROOT}/observations")
    assert not page.xpath("//h1/@lang")
    page = read_page(serve(tmp_path, weather="en-GB"), ROOT)
    assert page.get("lang") == "en-GB"
    assert not page.xpath("//body//@lang")


def test_templates_have_no_text_of_their_own() -> None:
    names = {"GET", "POST", "JSON", "CSV", "GeoJSON", "Parquet", "DescribeSensor", "GetObservation", "EPSG"}
    for path in FOLDER.glob("templates/*.html"):
        source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.S)
        texts = re.sub(r"<[^>]*>", " ", source.replace("Observations &amp; Measurements (XML)", ""))
        heard = " ".join(re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', source))
        assert set(re.findall(r"[A-Za-z]{2,}", f"{texts} {heard}")) <= names, path.name


def test_scripts_have_no_text_of_their_own() -> None:
    """Strings of several words are texts for people, unless they are of XML, CSS or JavaScript itself."""
    string = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`\n]*`')
    for path in FOLDER.glob("static/*.js"):
        lines = re.sub(r"^\s*//.*$", "", path.read_text("utf-8"), flags=re.M)
        said = {text[1:-1] for text in string.findall(re.sub(r"\$\{[^{}]*\}", "", lines))}
        ids = [message.id for message in extract_texts()]
        told = {text for id in ids for text in ([id] if isinstance(id, str) else id)}
        words = {text for text in said - told if re.search(r"[A-Za-z]{2,} [a-z]{2,}", text) and "<" not in text}
        assert words <= {"use strict"} | {text for text in words if re.match(r"color-mix\(|\(prefers-", text)}, (
            path.name
        )

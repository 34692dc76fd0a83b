"""The catalog of pages."""

from __future__ import annotations

import json
from pathlib import Path

from lxml import html

from mapsos.app import Application
from mapsos.config.settings import Settings
from tests.rest.conftest import ask_application
from tests.rest.sources import METADATA, write_map, write_source


def test_name_of_an_offering_is_that_of_its_first_layer_that_the_client_may_use(tmp_path: Path) -> None:
    unnamed = METADATA.replace('"sos_offering_name" "An offering"', "")
    hidden = unnamed + '"sos_offering_name" "Hidden" "sos_enable_request" "!*"'
    mapfile = write_map(tmp_path / "all.map", write_source(tmp_path, "inline", None), metadata=hidden)
    first, layer, rest = mapfile.read_text("utf-8").partition("LAYER NAME")
    others = [(layer + rest).replace('"obs"', f'"{name}"') for name in ("second", "third")]
    second = others[0].replace(hidden, unnamed)
    third = others[1].replace(hidden, unnamed + '"sos_offering_name" "Third"')
    layers = [text.strip().removesuffix("END") for text in (layer + rest, second, third)]
    mapfile.write_text(first + "\n".join(layers) + "END", "utf-8")
    application = Application(Settings(mapfile=str(mapfile), cache=None))
    (offering,) = ask_application(application, "/exts/SosSOE/observations", f="json").value["observationOfferings"]
    page = html.fromstring(ask_application(application, "/_mapsos/builder").body)
    (catalog,) = page.xpath("//*[@id='builder']/@data-catalog")
    names = [entry["offeringName"] for entry in json.loads(catalog)]
    assert (offering["name"], names) == ("off", ["off", "off"])

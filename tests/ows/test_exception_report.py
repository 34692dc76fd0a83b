"""Exception reports: the document to the letter, and valid against OGC's schema where that is at hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mapsos.ows.exception_report import write_report
from mapsos.ows.exceptions import OwsException

OWS = "{http://www.opengis.net/ows/1.1}"


def find_schemas() -> Path | None:
    """The folder of OGC schemas: MAPSOS_OGC_SCHEMAS, or shared/ogc-schemas in a folder above."""
    named = os.environ.get("MAPSOS_OGC_SCHEMAS")
    above = [folder / "shared" / "ogc-schemas" for folder in Path(__file__).resolve().parents]
    return next((path for path in ([Path(named)] if named else above) if (path / "validate.py").is_file()), None)


def test_the_document() -> None:
    error = OwsException("MissingParameterValue", "request", "msSOSDispatch", "Missing REQUEST Parameter", more=("b",))
    assert write_report(error, "http://schemas.opengis.net", "en-US").decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ows:ExceptionReport xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0" xml:lang="en-US" '
        'xsi:schemaLocation="http://www.opengis.net/ows/1.1 '
        'http://schemas.opengis.net/ows/1.1.0/owsExceptionReport.xsd">\n'
        '  <ows:Exception exceptionCode="MissingParameterValue" locator="request">\n'
        "    <ows:ExceptionText>msSOSDispatch(): SOS server error. Missing REQUEST Parameter\nb</ows:ExceptionText>\n"
        "  </ows:Exception>\n"
        "</ows:ExceptionReport>\n"
    )


def test_everything_is_escaped_once() -> None:
    error = OwsException("Code", 'a"<\n', "f", "<b> & \x00\ud800 é]]>", category="C&A.")
    data = write_report(error, "http://x/?a=1&b=2", 'e"n')
    assert b"a=1&amp;b=2/ows" in data
    root = etree.fromstring(data)
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == 'e"n'
    assert root[0].get("locator") == 'a"<\n'
    assert root.findtext(f".//{OWS}ExceptionText") == "f(): C&A. <b> & \ufffd\ufffd é]]>"


def test_a_long_message_is_cut_within_a_character_but_never_through_it() -> None:
    error = OwsException("Code", "l", "f", "é" * 5000, more=("the end",))
    assert error.text == f"f(): SOS server error. {'é' * 1023}\nthe end"


def test_the_detail_stays_in_the_log() -> None:
    error = OwsException("Code", "l", "f", "message", detail="password=secret")
    assert b"secret" not in write_report(error)


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_makes_a_document(message: str, locator: str, schemas: str, language: str) -> None:
    root = etree.fromstring(write_report(OwsException("Code", locator, "f", message), schemas, language))
    assert root.tag == f"{OWS}ExceptionReport"


@pytest.mark.skipif(find_schemas() is None, reason="OGC schemas are not here: set MAPSOS_OGC_SCHEMAS to their folder")
def test_it_is_valid(tmp_path: Path) -> None:
    schemas = find_schemas()
    assert schemas is not None
    report = tmp_path / "report.xml"
    report.write_bytes(write_report(OwsException("InvalidParameterValue", "eventtime", "f", "<x> & \x01")))
    done = subprocess.run(
        [sys.executable, schemas / "validate.py", report], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

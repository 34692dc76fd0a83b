from __future__ import annotations

import dataclasses

import pytest

from mapsos.encodings.documents import capabilities_parts
from mapsos.encodings.documents.capabilities import write_capabilities
from mapsos.encodings.documents.capabilities_parts import CapabilitiesMarkup
from mapsos.mapfile.model import Identification, Provider

MARKUP = CapabilitiesMarkup(
    Identification(),
    Provider(),
    "http://example.org/sos?",
    "http://schemas.opengis.net",
    operations=("GetCapabilities",),
    offerings=(),
    sections=frozenset({"ServiceIdentification"}),
)


def name_service(number: int) -> CapabilitiesMarkup:
    return dataclasses.replace(MARKUP, identification=Identification(title=f"Service {number}"))


def test_the_last_few_documents_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities_parts, "_KEPT_DOCUMENTS", 2)
    first, second = write_capabilities(name_service(1)), write_capabilities(name_service(2))
    assert b"Service 1" in first
    assert write_capabilities(name_service(1)) is first
    write_capabilities(name_service(3))
    assert write_capabilities(name_service(1)) is first
    again = write_capabilities(name_service(2))
    assert again is not second
    assert again == second


def test_large_documents_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities_parts, "_KEPT_BYTES", 100)
    document = write_capabilities(MARKUP)
    assert write_capabilities(MARKUP) is not document
    assert write_capabilities(MARKUP) == document

"""Every example of the documents, run in order in a folder of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .markdown import DOCUMENTS, ROOT, read, read_examples
from .scenario import Scenario


@pytest.mark.parametrize("document", DOCUMENTS)
def test_examples_do_what_the_document_says(document: str, tmp_path: Path) -> None:
    with Scenario(tmp_path) as scenario:
        for example in read_examples(read(document)):
            try:
                scenario.follow(example)
            except Exception as error:
                raise AssertionError(f"{document}:{example.line}: {error}") from error
        scenario.finish()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    links = set(re.findall(r"\]\(([^)#]+)\)", read(document))) - {"docs/performance.md", "performance.md"}
    assert [link for link in links if not link.startswith("http") and not (folder / link).exists()] == []


def test_there_are_examples() -> None:
    languages = {example.language for document in DOCUMENTS for example in read_examples(read(document))}
    assert {"sh", "url", "body", "mapfile", "conf", "xml"} <= languages

"""The text of docs/deployment.md: its conventions, its links, and that a test follows each part of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Example, read, read_examples

from .guide import DOCUMENT, OUTPUTS, headings, line_before, read_steps
from .machine import Machine

TEXT = read(DOCUMENT)
FOLDER = Path(__file__).parent
EXAMPLES = list(read_examples(TEXT))


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.file], ids=lambda example: example.file)
def test_the_name_of_a_file_stands_before_it(example: Example) -> None:
    assert f"`{example.file}`" in line_before(example)


def test_every_block_is_something_to_do_or_to_see() -> None:
    strange = [example for example in EXAMPLES if example.file is None and example.language not in ("sh", *OUTPUTS)]
    assert strange == []


@pytest.mark.parametrize("heading", headings())
def test_each_section_with_commands_is_followed(heading: str) -> None:
    if not any(step.language == "sh" for step in read_steps(heading)):
        pytest.skip("there is nothing to do in this section")
    tests = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py") if path != Path(__file__))
    assert f'"{heading}"' in tests


def test_links_lead_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings()}
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        name, _, anchor = link.partition("#")
        if name:
            assert (ROOT / "docs" / name).exists(), link
        else:
            assert anchor in anchors, link


def test_a_wrong_outcome_is_noticed(tmp_path: Path) -> None:
    """What the text shows must come of the commands before it."""
    machine = Machine(tmp_path)
    machine.output = "Syntax OK\nactive\n"
    (shown,) = [step for step in read_steps("Apache, mod_wsgi") if step.language == "text"]
    machine._follow(shown)
    machine.output = "Syntax OK\nfailed\n"
    with pytest.raises(AssertionError, match=r"active\nis not in"):
        machine._follow(shown)

"""docs/deployment.md and docs/installation.md as a reader follows them: files, commands, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.docs.markdown import Example, read, read_examples

DOCUMENT = "docs/deployment.md"
INSTALLATION = "docs/installation.md"
OUTPUTS = ("text", "xml", "http")


def read_steps(heading: str, document: str = DOCUMENT) -> Iterator[Example]:
    """The blocks of one section, in order."""
    text = read(document)
    begin = headings(document)[heading]
    end = min((line for line in headings(document).values() if line > begin), default=text.count("\n") + 1)
    return (example for example in read_examples(text) if begin < example.line < end)


def read_file(name: str) -> str:
    """The one file of that name that the whole document has."""
    (text,) = [example.text for example in read_examples(read(DOCUMENT)) if example.file == name]
    return text


def find_line(output: str, lines: str) -> str | None:
    """The first line that the output should have in this order and has not; None if it has all."""
    position = 0
    for line in filter(None, map(str.strip, lines.splitlines())):
        if line == "...":
            continue
        found = output.find(line, position)
        if found < 0:
            return line
        position = found + len(line)
    return None


def line_before(example: Example) -> str:
    """The last line of text before a block."""
    lines = read(DOCUMENT).splitlines()[: example.line - 1]
    return next(line for line in reversed(lines) if line.strip())


def headings(document: str = DOCUMENT) -> dict[str, int]:
    """The headings of sections, and the line that each is in; what stands in blocks is none."""
    found = {}
    is_text = True
    for number, line in enumerate(read(document).splitlines(), 1):
        if line.startswith("```"):
            is_text = not is_text
        elif is_text and line.startswith("## "):
            found[line.removeprefix("## ")] = number
    return found

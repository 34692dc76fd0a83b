"""What a case may expect of mapsos's answer alone, where mapserv has none worth comparing with."""

from __future__ import annotations

from .cases import Expectation
from .comparison import TEXT, Node, Side


def document(side: Side) -> Node:
    """The document of an answer."""
    assert side.tree is not None, f"no XML document: {side.trouble} {side.answer.text[:600]}"
    return side.tree


def members(count: int) -> Expectation:
    """So many om:member elements."""

    def check(side: Side) -> None:
        found = len(document(side).find("om:member"))
        assert found == count, f"{found} members instead of {count}: {side.answer.text[:900]}"

    return check


def values(element: str, expected: list[str]) -> Expectation:
    """The texts of every element of a name, in document order."""

    def check(side: Side) -> None:
        found = [node.content for node in document(side).find(element)]
        assert found == expected, f"{element}: {found} instead of {expected}; {side.answer.text[:900]}"

    return check


def attributes(element: str, name: str, expected: list[str]) -> Expectation:
    """One attribute of every element of a name, in document order."""

    def check(side: Side) -> None:
        found = [node.attributes.get(name) for node in document(side).find(element)]
        assert found == expected, f"{element}/@{name}: {found} instead of {expected}; {side.answer.text[:900]}"

    return check


def records(*blocks: str) -> Expectation:
    """The text of each om:result of an om:Observation."""

    def check(side: Side) -> None:
        found = [
            "".join(child.text for child in node.children if child.name == TEXT)
            for node in document(side).find("om:result")
        ]
        assert found == list(blocks), f"records {found} instead of {list(blocks)}"

    return check


def leads_to(ending: str) -> Expectation:
    """A redirect to an address with this ending."""

    def check(side: Side) -> None:
        assert side.headers.get("location", "").endswith(ending), side.headers

    return check


def exception(code: str, locator: str, *parts: str) -> Expectation:
    """An exception report whose only exception has the code and locator, and whose text has the parts."""

    def check(side: Side) -> None:
        tree = document(side)
        found = [
            (node.attributes.get("exceptionCode"), node.attributes.get("locator"))
            for node in tree.find("ows:Exception")
        ]
        assert found == [(code, locator)], f"{found} instead of {(code, locator)}: {side.answer.text[:900]}"
        for part in parts:
            assert part in tree.content, f"{part!r} is not in {tree.content!r}"

    return check


def any_exception(side: Side) -> None:
    """Some exception report."""
    assert document(side).find("ows:ExceptionReport"), side.answer.text[:900]


def well_formed(side: Side) -> None:
    """A document, whatever it says."""
    document(side)


def text(*parts: str) -> Expectation:
    """An answer that is no document and holds the parts."""

    def check(side: Side) -> None:
        assert side.tree is None, side.answer.text[:900]
        for part in parts:
            assert part in side.text, f"{part!r} is not in {side.text!r}"

    return check


def redirects_to(address: str) -> Expectation:
    """A redirect."""

    def check(side: Side) -> None:
        assert side.headers.get("location") == address, f"{side.headers} {side.answer.text[:600]}"

    return check


def empty_body(side: Side) -> None:
    """No body, but headers."""
    assert side.answer.body == b""
    assert side.headers.get("content-type"), side.answer

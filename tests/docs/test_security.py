"""docs/security.md names tests that are there, and every kind of attack has a test among them."""

from __future__ import annotations

import re

import pytest

from .markdown import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
ATTACKS = {
    "external entities": "external entity", "billion laughs": "billion laughs", "quadratic blow-up": "quadratic",
    "deep nesting": "deep", "XInclude": "xinclude", "huge attributes": "a huge attribute", "UTF-7": "utf-7",
    "UTF-16": "utf-16", "SQL": "test_values_and_names_are_never_sql", "LIKE": "a long pattern",
    "operands": "more operands", "traversal": "{home}/../", "symlinks": "symlink_to", "NUL bytes": "%00.map",
    "VRT": "rows.vrt", "/vsicurl/": "/vsicurl/", "/vsizip/": "/vsizip/", "databases": "PG:dbname=x",
    "the network": "test_no_request_makes_it_ask_the_network", "response splitting": "Set-Cookie",
    "redirects": "test_redirects_go_where_the_map_says",
    "forwarded headers": "test_headers_of_strangers_poison_nothing",
    "request smuggling": "test_ambiguous_requests_are_refused", "smuggling by a proxy": "cl.te",
    "slow headers": "test_slow_headers_hold_up_nobody", "oversized parameters": "test_oversized_parameters_are_bounded",
    "compressed bodies": "test_compressed_bodies_are_refused", "paths": "test_no_failure_tells_paths",
    "versions": "test_the_version_is_not_told_when_switched_off",
}  # fmt: skip
"""What must not work, and a word of the test that shows it."""


def named_tests() -> list[str]:
    return sorted(set(re.findall(r"`(tests/[\w/.]+)`", TEXT)))


@pytest.mark.parametrize("path", named_tests())
def test_tests_that_are_named_exist(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "attacks").glob("test_*.py")), ids=lambda path: path.name)
def test_tests_of_attacks_are_named(path: object) -> None:
    assert str(path).removeprefix(f"{ROOT}/") in named_tests()


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_a_test(attack: str) -> None:
    files = [ROOT / path for path in named_tests() if path.endswith(".py")]
    assert any(ATTACKS[attack] in file.read_text("utf-8") for file in files)

"""`script/test --debian13`, where a root of Debian 13 can be made and where not."""

from __future__ import annotations

import pytest

from . import debian13, machine


def test_where_no_root_can_be_made_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    assert debian13.run_tests([]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Debian 13 was not tested: ")
    assert printed.endswith(".\n")


def test_a_mirror_without_the_release_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_has_suite", lambda address, suite: False)
    assert machine.find_mirrors("no-such-release") == []


def test_mirrors_of_another_release_are_those_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    own = machine.find_mirrors()
    if not own:
        pytest.skip("this computer's apt has no mirror of Debian")
    monkeypatch.setattr(machine, "_has_suite", lambda address, suite: True)
    assert machine.find_mirrors("sid") == [
        (address, suite.replace(machine.RELEASE, "sid")) for address, suite in own
    ]

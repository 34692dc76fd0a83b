from __future__ import annotations

import ipaddress
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from mapsos.mapfile import access
from mapsos.mapfile.access import enabled_layers, evaluate_rule, is_enabled, is_web_enabled
from mapsos.mapfile.model import AccessRules, ObservationLayer, Service
from mapsos.terms.layer_source import LayerSource, SourceKind


def make(web: AccessRules, layer: AccessRules = AccessRules(), file: str = "/m/a.map") -> Service:  # noqa: B008
    source = LayerSource("l", SourceKind.INLINE)
    return Service("m", access=web, layers=(ObservationLayer("l", source, "off", access=layer, file=file),), file=file)


def on(service: Service, request: str = "GetCapabilities", address: str | None = None) -> bool:
    enabled = is_enabled(service, service.layers[0], request, address)
    assert enabled_layers(service, request, address) == (service.layers if enabled else ())
    return enabled


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("*", True),
        ("getcapabilities", True),
        ("GetObservation", None),
        ("* !GetCapabilities", False),
        ("!GetCapabilities *", False),
        ("!* GetCapabilities", True),
        ("GetCapabilities !*", True),
        ("* !*", False),
        ("!* *", True),
        ("GetCapabilities !GetCapabilities", True),
        ("!GetCapabilities GetCapabilities", False),
        ("GetCapabilities,GetObservation", None),
        ("", None),
    ],
)
def test_one_rule_as_mapserver_evaluates_it(rule: str, expected: bool | None) -> None:
    assert evaluate_rule(rule, "GetCapabilities") is expected


@pytest.mark.parametrize(
    ("web", "layer", "expected"),
    [
        ((None, None), (None, None), False),
        (("*", None), (None, None), True),
        ((None, "*"), (None, None), True),
        (("GetObservation", "*"), (None, None), True),
        (("!*", "*"), (None, None), False),
        (("!*", None), ("*", None), True),
        ((None, None), (None, "*"), True),
        (("*", None), ("!GetCapabilities", "*"), False),
        (("*", None), ("GetCapabilities", "!*"), True),
        (("*", None), ("GetObservation", "!*"), False),
    ],
)
def test_layer_before_web(
    web: tuple[str | None, str | None], layer: tuple[str | None, str | None], expected: bool
) -> None:
    assert on(make(AccessRules(web), AccessRules(layer))) is expected


@pytest.mark.parametrize(
    ("allowed", "denied", "address", "expected"),
    [
        ("1.2.3.4", None, "1.2.3.4", True),
        ("1.2.3.4", None, "5.6.7.8", False),
        ("1.2.3.4", None, None, True),
        ("1.2.3.4/8", None, "1.9.9.9", True),
        ("", None, "1.2.3.4", False),
        (None, "5.6.7.0/24 fe80::/16", "5.6.7.8", False),
        (None, "5.6.7.0/24 fe80::/16", "5.6.8.8", True),
        (None, "5.6.7.0/24 fe80::/16", "fe80::1", False),
        (None, "5.6.7.0/24", "::ffff:5.6.7.8", False),
        ("1.1.1.1", "1.1.1.1", "1.1.1.1", False),
        ("1.1.1.1", None, "no address", False),
        ("1.1.1.1", None, "", False),
        ("0.0.0.0/0 ::/0", None, "", False),
        (None, "1.1.1.1", "", False),
        (None, "1.1.1.1", None, True),
        (None, None, "", True),
        ("0.0.0.0/0 ::/0", None, "unix:", False),
        ("1.2.3.4", None, "::ffff:1.2.3.4", True),
        ("::ffff:1.2.3.4", None, "1.2.3.4", True),
        (None, "::ffff:1.2.3.0/120", "1.2.3.9", False),
        (None, "::ffff:1.2.3.0/120", "::ffff:1.2.4.9", True),
        ("fe80::/16", None, "fe80::1%eth0", True),
        (None, "fe80::/16", "fe80::1%eth0", False),
    ],
)
def test_addresses(allowed: str | None, denied: str | None, address: str | None, expected: bool) -> None:
    rules = AccessRules(("*", None), allowed, denied)
    assert on(make(rules), address=address) is expected
    assert is_web_enabled(make(rules), "GetCapabilities", address) is expected
    assert on(make(AccessRules(("*", None)), AccessRules((None, None), allowed, denied)), address=address) is expected


def test_a_layer_that_enables_itself_is_not_bound_by_addresses_of_web() -> None:
    service = make(AccessRules(("*", None), "1.2.3.4"), AccessRules(("*", None)))
    assert on(service, address="5.6.7.8")


def test_files_of_addresses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ips.txt").write_text("5.6.7.8 # us\n\n9.0.0.0/8\n")
    file = str(tmp_path / "a.map")
    assert on(make(AccessRules(("*", None), "file:ips.txt"), file=file), address="9.1.1.1")
    assert not on(make(AccessRules(("*", None), None, f"file:{tmp_path}/ips.txt"), file=file), address="5.6.7.8")
    assert caplog.records == []


@pytest.mark.parametrize("denied", ["file:no.txt", "5.6.7"])
def test_a_list_that_cannot_be_understood_admits_nobody(denied: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    assert not on(make(AccessRules(("*", None), None, denied)), address="1.1.1.1")
    assert denied in caplog.text


class Counted:
    """How often files of addresses were opened, and networks parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = self.parsed = 0
        parse = ipaddress.ip_network

        def count_opening(*arguments: Any, **named: Any) -> Any:
            self.opened += 1
            return open(*arguments, **named)

        def count_parsing(*arguments: Any, **named: Any) -> Any:
            self.parsed += 1
            return parse(*arguments, **named)

        monkeypatch.setattr(access, "open", count_opening, raising=False)
        monkeypatch.setattr(ipaddress, "ip_network", count_parsing)


def test_a_file_of_addresses_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many layers and requests look at it."""
    (tmp_path / "ips.txt").write_text("5.6.7.8 9.0.0.0/8")
    layer = make(AccessRules(), AccessRules(("*", None), "file:ips.txt", "4.3.2.0/24"), str(tmp_path / "a.map")).layers
    service = Service("m", layers=layer * 20, file=str(tmp_path / "a.map"))
    counted = Counted(monkeypatch)
    for _ in range(9):
        assert len(enabled_layers(service, "GetCapabilities", "9.1.1.1")) == 20
        assert enabled_layers(service, "GetCapabilities", "8.1.1.1") == ()
    assert counted.opened == 1
    assert counted.parsed <= 3


def test_a_change_of_the_file_counts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that leaves its size, its place or its time as they were; without the file nobody is admitted."""
    path, new = tmp_path / "ips.txt", tmp_path / "new.txt"
    service = make(AccessRules(("*", None), "192.0.2.1 file:ips.txt"), file=str(tmp_path / "a.map"))
    counted = Counted(monkeypatch)

    def count_admitted(address: str, times: int = 3) -> int:
        return sum(on(service, address=address) for _ in range(times))

    path.write_text("9.0.0.0/8")
    os.utime(path, ns=(0, 10**9))
    assert (count_admitted("9.1.1.1"), count_admitted("192.0.2.1"), counted.opened) == (3, 3, 1)
    path.write_text("8.0.0.0/8")
    os.utime(path, ns=(0, 10**9 + 1))
    assert (count_admitted("9.1.1.1"), count_admitted("8.1.1.1"), counted.opened) == (0, 3, 2)
    new.write_text("7.0.0.0/8")
    os.utime(new, ns=(0, 10**9 + 1))
    new.replace(path)
    assert (count_admitted("8.1.1.1"), count_admitted("7.1.1.1"), counted.opened) == (0, 3, 3)
    path.unlink()
    assert (count_admitted("7.1.1.1"), count_admitted("192.0.2.1")) == (0, 3)
    path.write_text("7.0.0.0/8")
    assert count_admitted("7.1.1.1") == 3

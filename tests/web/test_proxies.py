"""Forwarded headers count only from proxies that the admin named."""

from __future__ import annotations

import ipaddress

import pytest

from mapsos.config.settings import read_settings
from mapsos.config.trusted_proxies import TrustedProxies, read_trusted_proxies
from mapsos.web.proxies import correct_environ

DIRECT = {"REMOTE_ADDR": "198.51.100.7", "SERVER_NAME": "inner", "SERVER_PORT": "8080", "HTTP_HOST": "inner:8080"}
FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.5",
    "HTTP_X_FORWARDED_HOST": "sensors.example.org",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_PORT": "8443",
    "HTTP_FORWARDED": "for=203.0.113.9;host=evil.example.org",
}

EVERYBODY = read_trusted_proxies("0.0.0.0/0 ::/0")


def believed(environ: dict[str, str], *proxies: str) -> dict[str, str]:
    """What differs from the direct request."""
    trusted = read_trusted_proxies(" ".join(proxies) or "198.51.100.7")
    corrected = correct_environ(DIRECT | environ, trusted)
    return {name: value for name, value in corrected.items() if DIRECT.get(name) != value}


@pytest.mark.parametrize(
    "proxies", ["", "198.51.100.8", "198.51.100.0/30", "2001:db8::/32"], ids=["none", "other", "network", "v6"]
)
def test_headers_of_strangers_are_dropped(proxies: str) -> None:
    assert correct_environ(DIRECT | FORWARDED, read_trusted_proxies(proxies)) == DIRECT


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_a_connection_without_an_address_is_never_trusted(address: str) -> None:
    environ = DIRECT | FORWARDED | {"REMOTE_ADDR": address}
    assert not [name for name in correct_environ(environ, EVERYBODY) if "FORWARDED" in name]


def test_nothing_is_said_without_headers() -> None:
    assert correct_environ(DIRECT, EVERYBODY) == DIRECT


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"FOR": "203.0.113.5"}, {"REMOTE_ADDR": "203.0.113.5"}),
        ({"FOR": "203.0.113.5:4711"}, {"REMOTE_ADDR": "203.0.113.5"}),
        ({"FOR": "[2001:db8::1]:443"}, {"REMOTE_ADDR": "2001:db8::1"}),
        ({"FOR": "::ffff:203.0.113.5"}, {"REMOTE_ADDR": "203.0.113.5"}),
        ({"FOR": "fe80::1%eth0"}, {"REMOTE_ADDR": "fe80::1"}),
        ({"FOR": "unknown"}, {"REMOTE_ADDR": ""}),
        ({"FOR": "_hidden, unknown"}, {"REMOTE_ADDR": ""}),
        ({"FOR": "203.0.113.5, unknown"}, {"REMOTE_ADDR": ""}),
        ({"FOR": " , "}, {}),
        ({"HOST": "a.example"}, {"HOST": "a.example", "PORT": "80"}),
        ({"HOST": "forged.example, b.example"}, {"HOST": "b.example", "PORT": "80"}),
        ({"PROTO": "https, http"}, {"PROTO": "http", "PORT": "80"}),
        ({"HOST": "[2001:db8::1]:81"}, {"HOST": "[2001:db8::1]", "PORT": "81"}),
        ({"HOST": "a.example/path?"}, {}),
        ({"HOST": 'a"><script>'}, {}),
        ({"HOST": "a.example:port"}, {}),
        ({"HOST": "a.example:81"}, {"HOST": "a.example", "PORT": "81"}),
        ({"HOST": "a.example", "PROTO": "https"}, {"HOST": "a.example", "PROTO": "https", "PORT": "443"}),
        ({"PROTO": "HTTPS"}, {"PROTO": "https", "PORT": "443"}),
        ({"PROTO": "https", "PORT": "8443"}, {"PROTO": "https", "PORT": "8443"}),
        ({"PROTO": "https", "PORT": "99999"}, {"PROTO": "https"}),
        ({"PROTO": "javascript", "PORT": "x"}, {}),
    ],
    ids=lambda value: " ".join(f"{name}={text}" for name, text in value.items()) or "nothing",
)
def test_headers_of_a_trusted_proxy(headers: dict[str, str], expected: dict[str, str]) -> None:
    told = believed({f"HTTP_X_FORWARDED_{name}": value for name, value in headers.items()})
    told.pop("HTTP_X_FORWARDED_FOR", None)
    assert {name.removeprefix("HTTP_X_FORWARDED_"): value for name, value in told.items()} == expected


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("192.0.2.66, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.5, ::ffff:10.0.0.2", "203.0.113.5"),
        ("forged, 10.0.0.2", ""),
        ("203.0.113.5, unknown, 10.0.0.2", ""),
    ],
)
def test_the_client_is_the_last_that_no_proxy_vouches_for(chain: str, client: str) -> None:
    assert believed({"HTTP_X_FORWARDED_FOR": chain}, "198.51.100.7", "10.0.0.0/8")["REMOTE_ADDR"] == client


def test_the_standard_header_says_the_same() -> None:
    told = believed({"HTTP_FORWARDED": 'for="[2001:db8::1]:4711";Host=a.example;proto=https, for=198.51.100.7'})
    assert told == {
        "REMOTE_ADDR": "2001:db8::1",
        "HTTP_X_FORWARDED_HOST": "a.example",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_PORT": "443",
    }


def test_a_comma_in_quotes_ends_no_hop() -> None:
    told = believed({"HTTP_FORWARDED": 'by="a,b;c" ; host="a\\.example:81" ; for=203.0.113.5'})
    assert told == {
        "REMOTE_ADDR": "203.0.113.5",
        "HTTP_X_FORWARDED_HOST": "a.example",
        "HTTP_X_FORWARDED_PORT": "81",
    }


@pytest.mark.parametrize(
    ("chain", "hosts", "expected"),
    [
        ("203.0.113.5", "forged.example, outer.example", "outer.example"),
        ("203.0.113.5, 10.0.0.2", "forged.example, outer.example, inner.example", "outer.example"),
        ("203.0.113.5, 10.0.0.2", "outer.example", "outer.example"),
        ("10.0.0.2, 203.0.113.5", "forged.example, outer.example", "outer.example"),
        ("forged, 203.0.113.5", "forged.example, outer.example", "outer.example"),
    ],
)
def test_the_host_is_what_the_outermost_trusted_proxy_says(chain: str, hosts: str, expected: str) -> None:
    """A client's own words come first in a list that each proxy appends to."""
    headers = {"HTTP_X_FORWARDED_FOR": chain, "HTTP_X_FORWARDED_HOST": hosts}
    assert believed(headers, "198.51.100.7", "10.0.0.0/8")["HTTP_X_FORWARDED_HOST"] == expected


def test_the_words_of_a_client_in_the_standard_header_are_not_the_proxys() -> None:
    told = believed({"HTTP_FORWARDED": "for=192.0.2.66;host=forged.example, for=203.0.113.5;host=a.example"})
    assert (told["REMOTE_ADDR"], told["HTTP_X_FORWARDED_HOST"]) == ("203.0.113.5", "a.example")


@pytest.mark.parametrize(
    ("prefix", "script"),
    [
        ("/sensors", "/sensors/weather"),
        ("/a/b/", "/a/b/weather"),
        ("/forged, /sensors", "/sensors/weather"),
        ("sensors", "/weather"),
        ("//evil.example", "/weather"),
        ("/a/../b", "/weather"),
        ("/a?b", "/weather"),
        ("", "/weather"),
    ],
)
def test_the_prefix_goes_before_the_path(prefix: str, script: str) -> None:
    environ = DIRECT | {"SCRIPT_NAME": "/weather", "HTTP_X_FORWARDED_PREFIX": prefix}
    assert correct_environ(environ, read_trusted_proxies("198.51.100.7"))["SCRIPT_NAME"] == script
    assert correct_environ(environ, TrustedProxies())["SCRIPT_NAME"] == "/weather"


def test_a_unix_socket_is_trusted_by_its_word() -> None:
    environ = DIRECT | FORWARDED | {"REMOTE_ADDR": ""}
    corrected = correct_environ(environ, read_trusted_proxies("unix"))
    assert corrected["REMOTE_ADDR"] == "203.0.113.5"
    assert corrected["HTTP_X_FORWARDED_HOST"] == "sensors.example.org"
    assert correct_environ(DIRECT | FORWARDED, read_trusted_proxies("unix")) == DIRECT


def test_networks_are_parsed_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not again for each address of each request."""
    settings = read_settings({"MAPSOS_TRUSTED_PROXIES": "198.51.100.7 10.0.0.0/8"})
    monkeypatch.setattr(ipaddress, "ip_network", None)
    environ = DIRECT | {"HTTP_X_FORWARDED_FOR": "203.0.113.5, 10.0.0.2"}
    assert correct_environ(environ, settings.trusted_proxies)["REMOTE_ADDR"] == "203.0.113.5"

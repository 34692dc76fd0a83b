from __future__ import annotations

from dataclasses import fields
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.config.map_selection import MapSelectionError, select_map
from mapsos.config.options import OPTIONS
from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.config.trusted_proxies import TrustedProxies

NOT_SET = 'CGI variable "map" is not set.'
NO_PATH = 'CGI variable "map" not found in configuration and this server is not configured for full paths.'
NO_PATTERN = "Required configuration value MS_MAP_PATTERN not set."
FAILS = 'CGI variable "map" fails to validate.'
BAD_NAME = "Filename validation failed."


def configure(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "mapserver.conf"
    path.write_text(text)
    return read_settings({"MAPSERVER_CONFIG_FILE": str(path), **environ})


@pytest.mark.parametrize(
    ("config", "value", "expected"),
    [
        ("CONFIG END", None, NOT_SET),
        ('CONFIG ENV MS_MAPFILE "/m/a.map" END END', None, "/m/a.map"),
        ("CONFIG ENV 'MS_MAPFILE' /m/a.map END END", None, "/m/a.map"),
        ('CONFIG ENV MS_MAPFILE "/m/a.map" END END', "/m/a.map", NO_PATTERN),
        ('CONFIG MAPS one "/m/a.map" END END', "ONE", "/m/a.map"),
        ('config maps "One" "/m/a.map" end end', "one", "/m/a.map"),
        ('CONFIG MAPS one "/m/a.map" END END', "two", NO_PATTERN),
        ('CONFIG MAPS one "/m/a.txt" END END', "one", BAD_NAME),
        ('CONFIG ENV MS_MAP_NO_PATH "1" MS_MAP_PATTERN "." END END', "/m/a.map", NO_PATH),
        ('CONFIG ENV MS_MAP_NO_PATH "" MS_MAP_PATTERN "." END END', "/m/a.map", NO_PATH),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m/a.map", "/m/a.map"),
        ('CONFIG ENV ms_map_pattern "^/m/[[:alpha:]]+\\.map$" END END', "/m/a.map", "/m/a.map"),
        ("CONFIG ENV MS_MAP_PATTERN ^/(m|n)/[a-z]{1}\\.map$ END END", "/m/a.map", "/m/a.map"),
        ("CONFIG ENV MS_MAP_PATTERN /m/ END END", "/n/a.map", FAILS),
        ("CONFIG MAPS one /m/`a`.map # c\n END END", "one", "/m/`a`.map"),
        ('CONFIG MAPS "a \\"b\\"" /m/a.map END END', 'a "b"', "/m/a.map"),
        ('CONFIG ENV MS_MAP_PATTERN "^/srv/" END END', "/m/a.map", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m/../a.map", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m//a.map", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." MS_MAP_BAD_PATTERN "xyz" END END', "/m/../a.map", "/m/../a.map"),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m/a.map\n", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m/a.txt\0.map", FAILS),
        ('CONFIG ENV MS_MAP_PATTERN "." END END', "/m/a.txt", BAD_NAME),
        ('CONFIG ENV MS_MAP_PATTERN "." MS_MAPFILE_PATTERN "txt$" END END', "/m/a.txt", "/m/a.txt"),
        ('# c\nCONFIG # c\nENV # c\nMS_MAPFILE "/m/a.map" # c\nEND\nPLUGINS x "y" END END', None, "/m/a.map"),
    ],
)
def test_which_map(tmp_path: Path, config: str, value: str | None, expected: str) -> None:
    settings = configure(tmp_path, config)
    if expected.startswith("/"):
        assert select_map(settings, value) == expected
    else:
        with pytest.raises(MapSelectionError) as caught:
            select_map(settings, value)
        assert caught.value.message == expected
        assert caught.value.routine == ("msLoadMap" if expected == BAD_NAME else "msCGILoadMap")


@given(st.text())
def test_nothing_is_admitted_by_default(value: str) -> None:
    with pytest.raises(MapSelectionError):
        select_map(Settings(maps={"\0": "/m/a.map"}), "x" + value)


def test_the_environment_alone_is_enough_and_the_file_wins(tmp_path: Path) -> None:
    assert read_settings({"MS_MAPFILE": "a.map", "MAPSOS_MAX_BODY": "5"}).max_body == 5
    settings = configure(tmp_path, 'CONFIG ENV MAPSOS_MAX_BODY "7" END END', MAPSOS_MAX_BODY="5", MS_NO_POST="")
    assert (settings.max_body, settings.no_post) == (7, True)


def test_conf_comes_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text('CONFIG ENV MS_MODE "a" END END')
    settings = read_settings({"MAPSERVER_CONFIG_FILE": "/no/such"}, str(tmp_path / "a.conf"))
    assert (settings.mode, settings.config_file) == ("a", str(tmp_path / "a.conf"))


def test_relative_maps_of_the_file_are_relative_to_it(tmp_path: Path) -> None:
    settings = configure(tmp_path, 'CONFIG ENV MS_MAPFILE "m/a.map" END MAPS b "m/b.map" END END')
    assert select_map(settings, None) == str(tmp_path / "m/a.map")
    assert select_map(settings, "b") == str(tmp_path / "m/b.map")


def test_other_pairs_are_kept_for_gdal(tmp_path: Path) -> None:
    assert configure(tmp_path, 'CONFIG ENV PROJ_DATA "/p" END END').other == {"PROJ_DATA": "/p"}


def test_options() -> None:
    settings = read_settings(
        {
            "MAPSOS_HTTP_STATUS": "On",
            "MAPSOS_TRUSTED_PROXIES": "10.0.0.0/8 ::1 unix",
            "MAPSOS_LOG_LEVEL": "DEBUG",
            "MAPSOS_CACHE": "/var/cache/mapsos/",
            "MS_DEBUGLEVEL": "3",
            "MS_NO_VERSION": "1",
            "MS_ERRORFILE": "stderr",
            "MS_ONLINERESOURCE": "http://h/?",
        }
    )
    proxies = TrustedProxies((IPv4Network("10.0.0.0/8"), IPv6Network("::1/128")), unix=True)
    assert (settings.http_status, settings.trusted_proxies) == (True, proxies)
    assert (settings.log_level, settings.cache, settings.debug_level) == ("debug", "/var/cache/mapsos", 3)
    assert (settings.no_version, settings.error_file, settings.online_resource) == (True, "stderr", "http://h/?")


def test_options_of_load_and_watching() -> None:
    settings = read_settings(
        {
            "MAPSOS_MAX_ROWS": "100000",
            "MAPSOS_MAX_SECONDS": "2.5",
            "MAPSOS_CORS": "https://a.example http://localhost:8000",
            "MAPSOS_LOG_FORMAT": "JSON",
            "MAPSOS_HEALTH": "on",
            "MAPSOS_METRICS": "off",
        }
    )
    assert (settings.max_rows, settings.max_seconds, settings.log_format) == (100_000, 2.5, "json")
    assert settings.cors == ("https://a.example", "http://localhost:8000")
    assert (settings.health, settings.metrics) == (True, False)
    assert read_settings({"MAPSOS_CORS": "*"}).cors == ("*",)
    off = read_settings({"MAPSOS_MAX_ROWS": "off", "MAPSOS_MAX_SECONDS": "Off", "MAPSOS_CORS": "off"})
    assert (off.max_rows, off.max_seconds, off.cors) == (None, None, ())


@pytest.mark.parametrize(
    ("environ", "cache"),
    [
        ({}, None),
        ({"HOME": "/h"}, "/h/.cache/mapsos"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/mapsos"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/mapsos"),
        ({"HOME": "/h", "MAPSOS_CACHE": "off"}, None),
    ],
)
def test_cache_folder(environ: dict[str, str], cache: str | None) -> None:
    assert read_settings(environ).cache == cache


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MAPSOS_MAX_BODY", "many", "expected a positive integer, got \"many\""),
        ("MAPSOS_MAX_BODY", "0", "expected a positive integer"),
        ("MAPSOS_MAX_ROWS", "0", "expected a positive integer"),
        ("MAPSOS_MAX_ROWS", "none", "or off"),
        ("MAPSOS_MAX_SECONDS", "-1", "or off"),
        ("MAPSOS_MAX_SECONDS", "0.0", "expected a positive number, or off"),
        ("MAPSOS_MAX_SECONDS", "1e3", "a positive number"),
        ("MAPSOS_CORS", "https://a.example/path", "origins"),
        ("MAPSOS_CORS", "* https://a.example", "origins"),
        ("MAPSOS_CORS", "a.example", "origins"),
        ("MAPSOS_LOG_FORMAT", "xml", "text or json"),
        ("MAPSOS_HEALTH", "", "on or off"),
        ("MAPSOS_METRICS", "/metrics", "on or off"),
        ("MAPSOS_HTTP_STATUS", "maybe", "on or off"),
        ("MAPSOS_TRUSTED_PROXIES", "10.0.0", "CIDR"),
        ("MAPSOS_LOG_LEVEL", "loud", "debug, info"),
        ("MAPSOS_CACHE", "relative", "absolute path"),
        ("MS_DEBUGLEVEL", "9", "0 to 5"),
        ("MS_MAP_PATTERN", "(", "POSIX"),
    ],
)
def test_wrong_values_name_the_option_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(name)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "begins with CONFIG"),
        ("ENV END", "begins with CONFIG"),
        ("CONFIG", "CONFIG is not ended"),
        ("CONFIG\nENV a b", ":2: ENV is not ended"),
        ("CONFIG\nFOO END END", ":2: unknown block FOO"),
        ("CONFIG ENV\nA END END", ":2: A has no value"),
        ('CONFIG ENV\nA "never', ":2: the quote"),
        ("CONFIG ENV MAPSOS_MAXBODY 5 END END", "unknown option MAPSOS_MAXBODY. Did you mean MAPSOS_MAX_BODY?"),
    ],
)
def test_faulty_files(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(SettingsError) as caught:
        configure(tmp_path, text)
    assert part in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings({}, str(tmp_path / "no.conf"))


def test_the_table_covers_every_setting_and_its_defaults() -> None:
    derived = {"config_file", "maps", "other"}
    assert {option.field for option in OPTIONS} == {part.name for part in fields(Settings)} - derived
    for option in OPTIONS:
        # The folder depends on the environment, the level on where the log goes, the number on the processors.
        if option.default and option.field not in ("cache", "log_level", "work_at_once"):
            assert option.read(option.default) == getattr(Settings(), option.field), option.name


@given(st.text(max_size=40))
def test_any_file_is_settings_or_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("conf") / "a.conf"
    path.write_text(f"CONFIG ENV {text}", errors="replace")
    with pytest.raises(SettingsError):
        read_settings({}, str(path))


@pytest.mark.parametrize("text", ["mysql://a:secret-word@h/db", "keys.db", "./keys.db"])
def test_a_store_of_keys_is_a_file_or_a_database_of_postgresql(text: str) -> None:
    with pytest.raises(SettingsError, match="MAPSOS_KEYS: expected an absolute path") as raised:
        read_settings({"MAPSOS_KEYS": text})
    assert "secret-word" not in str(raised.value)
    assert read_settings({"MAPSOS_KEYS": "/a/../keys.db"}).keys == "/keys.db"
    assert read_settings({"MAPSOS_KEYS": "Off"}).keys is None
    assert read_settings({"MAPSOS_KEYS": "postgresql://h/db"}).keys == "postgresql://h/db"

"""What the admin of a server sets: MapServer's configuration file and environment, and the options of mapsos."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mapsos.config.config_file import SettingsError, read_config
from mapsos.terms.posix_patterns import compile_posix
from mapsos.terms.trusted_proxies import TrustedProxies, read_trusted_proxies

__all__ = ["OPTIONS", "Option", "Settings", "SettingsError", "read_settings"]

DEFAULT_MAX_BODY = 8 * 1024 * 1024
DEFAULT_CGI_WORKER_IDLE = 300
DEFAULT_CGI_WORKER_REQUESTS = 16
DEFAULT_BAD_PATTERN = r"[/\\]{2}|[/\\]?\.+[/\\]|,"
DEFAULT_MAPFILE_PATTERN = r"\.map$"
_LOG_FORMATS = ("text", "json")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_TILES = re.compile(r"(?:https?://[a-z0-9.-]+(?::[0-9]{1,5})?)?/[^\s;,'\"<>/][^\s;,'\"<>]*")
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class Settings:
    """The settings of one server. Made by `read_settings`; a server over given mapfiles makes its own.

    Attributes
    ----------
    config_file
        The configuration file that was read, None without one.
    maps
        MAPS: path by alias, the alias in lower case.
    mapfile, map_pattern, map_bad_pattern, map_no_path, mapfile_pattern
        The options MS_MAPFILE and so on; patterns are extended regular expressions of POSIX.
    no_post, no_version, error_file, debug_level, mode, online_resource
        The options MS_NO_POST and so on.
    max_body
        MAPSOS_MAX_BODY: bytes of a request's body, at most.
    max_rows
        MAPSOS_MAX_ROWS: observations of an answer, at most; None for any number. More are refused, never cut.
    max_seconds
        MAPSOS_MAX_SECONDS: seconds that a request may take, None for as long as it takes.
    http_status
        MAPSOS_HTTP_STATUS: whether errors have HTTP status codes of their own; without it they are 200 as in
        MapServer.
    trusted_proxies
        MAPSOS_TRUSTED_PROXIES: addresses and networks of proxies whose headers are believed.
    cors
        MAPSOS_CORS: origins whose pages may read answers, ``*`` for all; none if empty.
    rest
        MAPSOS_REST: whether maps are served by the REST interface too.
    tiles, tiles_attribution
        MAPSOS_TILES and MAPSOS_TILES_ATTRIBUTION: the template of the URLs of background tiles on the pages' maps, None
        for none, and whom they are from.
    health, metrics
        MAPSOS_HEALTH and MAPSOS_METRICS: whether ``/healthz`` and ``/metrics`` are there.
    log_level, log_format
        MAPSOS_LOG_LEVEL and MAPSOS_LOG_FORMAT, in lower case.
    cache
        MAPSOS_CACHE: folder of compiled maps and of summaries, None for none. It need not exist.
    cgi_worker, cgi_worker_idle, cgi_worker_requests
        MAPSOS_CGI_WORKER: whether CGI processes start a process that stays and answers the next ones' requests; after
        how many seconds without any it leaves; how many requests it answers at once.
    other
        The pairs of the ENV block that are no options of ours: MapServer hands them to GDAL, PROJ and libpq as if
        they were environment variables.
    """

    config_file: str | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    mapfile: str | None = None
    map_pattern: str | None = None
    map_bad_pattern: str = DEFAULT_BAD_PATTERN
    map_no_path: bool = False
    mapfile_pattern: str = DEFAULT_MAPFILE_PATTERN
    no_post: bool = False
    no_version: bool = False
    error_file: str | None = None
    debug_level: int = 0
    mode: str | None = None
    online_resource: str | None = None
    max_body: int = DEFAULT_MAX_BODY
    max_rows: int | None = None
    max_seconds: float | None = None
    http_status: bool = False
    trusted_proxies: TrustedProxies = TrustedProxies()
    cors: tuple[str, ...] = ()
    rest: bool = True
    tiles: str | None = None
    tiles_attribution: str = ""
    health: bool = False
    metrics: bool = False
    log_level: str = "info"
    log_format: str = "text"
    cache: str | None = None
    cgi_worker: bool = True
    cgi_worker_idle: int = DEFAULT_CGI_WORKER_IDLE
    cgi_worker_requests: int = DEFAULT_CGI_WORKER_REQUESTS
    other: Mapping[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that a request may have."""
        return ("GET", "HEAD") if self.no_post else ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Option:
    """An option of the ENV block or the environment: the row of the documentation and how its text is read.

    ``read`` raises ValueError for what ``allowed`` does not cover.
    """

    name: str
    field: str
    default: str
    allowed: str
    meaning: str
    read: Callable[[str], Any]


def read_settings(environ: Mapping[str, str], conf: str | None = None) -> Settings:
    """Read the settings of a process.

    Parameters
    ----------
    environ
        Environment variables. What the configuration file says wins over them.
    conf
        The configuration file; None for the one that MAPSERVER_CONFIG_FILE names. Without either the environment
        alone decides (MapServer would refuse to work).

    Raises
    ------
    SettingsError
        A configuration file that cannot be read or parsed, an option with a wrong value, an option that begins
        with MAPSOS\\_ but does not exist.
    """
    path = conf or environ.get("MAPSERVER_CONFIG_FILE") or None
    blocks = read_config(path) if path else {}
    stated = {name.upper(): value for name, value in blocks.get("env", {}).items()}
    known = {option.name for option in OPTIONS}
    for name in stated:
        if name.startswith("MAPSOS_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise SettingsError(f"{path}: there is no option {name}{f'; is it {near[0]}?' if near else ''}")
    values: dict[str, Any] = {"cache": _default_cache(environ)}
    for option in OPTIONS:
        text = stated.get(option.name, environ.get(option.name))
        if text is not None:
            try:
                values[option.field] = option.read(text)
            except ValueError as error:
                raise SettingsError(f'{option.name} "{text}": {error}; allowed: {option.allowed}') from None
    folder = os.path.dirname(os.path.abspath(path)) if path else ""
    if "MS_MAPFILE" in stated:
        values["mapfile"] = os.path.join(folder, stated["MS_MAPFILE"])
    return Settings(
        config_file=path,
        maps={alias.lower(): os.path.join(folder, value) for alias, value in blocks.get("maps", {}).items()},
        other={name: value for name, value in stated.items() if name not in known},
        **values,
    )


def _default_cache(environ: Mapping[str, str]) -> str | None:
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "mapsos")


def _read_folder(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if not os.path.isabs(text) or "\0" in text:
        raise ValueError("this is no absolute path")
    return os.path.normpath(text)


def _read_size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise ValueError("this is no number of bytes")
    return int(text)


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7) or int(text) == 0:
        raise ValueError("this is no such number")
    return int(text)


def _read_most_rows(text: str) -> int | None:
    return None if text.lower() == "off" else _read_size(text)


def _read_seconds(text: str) -> float | None:
    if text.lower() == "off":
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or float(text) == 0:
        raise ValueError("this is no number of seconds")
    return float(text)


def _read_origins(text: str) -> tuple[str, ...]:
    words = tuple(text.split())
    if text.lower() == "off":
        return ()
    if words != ("*",) and not all(_ORIGIN.fullmatch(word) for word in words):
        raise ValueError("an origin is a scheme, a host in lower case and perhaps a port, without a path")
    return words


def _read_tiles(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if not _TILES.fullmatch(text) or not all(text.count(part) == 1 for part in ("{z}", "{x}", "{y}")):
        raise ValueError("tiles are at an http or https URL, or at a path of this server, with {z}, {x} and {y}")
    return text


def _read_level(text: str) -> int:
    if text not in ("0", "1", "2", "3", "4", "5"):
        raise ValueError("there is no such level")
    return int(text)


def _read_switch(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("on", "off", "true", "false", "yes", "no", "1", "0"):
        raise ValueError("this says neither on nor off")
    return lowered in ("on", "true", "yes", "1")


def _read_log_level(text: str) -> str:
    if text.lower() not in _LOG_LEVELS:
        raise ValueError("there is no such level")
    return text.lower()


def _read_log_format(text: str) -> str:
    if text.lower() not in _LOG_FORMATS:
        raise ValueError("there is no such format")
    return text.lower()


def _read_pattern(text: str) -> str:
    compile_posix(text)
    return text


def _is_set(text: str) -> bool:
    return True


_ANY_TEXT = "any text"
_ANY_VALUE = "any value turns it on"
_PATTERN = "an extended regular expression of POSIX"

OPTIONS: tuple[Option, ...] = (
    Option("MS_MAPFILE", "mapfile", "", "a path", "The map of requests without a map parameter.", str),
    Option("MS_MAP_PATTERN", "map_pattern", "", _PATTERN,
           "What the path of a map parameter must match; without it no paths are admitted.", _read_pattern),
    Option("MS_MAP_BAD_PATTERN", "map_bad_pattern", DEFAULT_BAD_PATTERN, _PATTERN,
           "What the path of a map parameter must not match.", _read_pattern),
    Option("MS_MAP_NO_PATH", "map_no_path", "", _ANY_VALUE, "Maps are asked for by their alias in MAPS only.", _is_set),
    Option("MS_MAPFILE_PATTERN", "mapfile_pattern", DEFAULT_MAPFILE_PATTERN, _PATTERN,
           "What the path of every map must match.", _read_pattern),
    Option("MS_NO_POST", "no_post", "", _ANY_VALUE, "Requests by POST are refused.", _is_set),
    Option("MS_NO_VERSION", "no_version", "", _ANY_VALUE, "No answer tells the version.", _is_set),
    Option("MS_ERRORFILE", "error_file", "", "a path, stderr or stdout", "Where the log goes.", str),
    Option("MS_DEBUGLEVEL", "debug_level", "0", "0 to 5", "How much is logged, MapServer's way.", _read_level),
    Option("MS_MODE", "mode", "", _ANY_TEXT, "The mode of requests without a mode parameter.", str),
    Option("MS_ONLINERESOURCE", "online_resource", "", "a URL",
           "URL of the service where the mapfile does not say it.", str),
    Option("MAPSOS_MAX_BODY", "max_body", str(DEFAULT_MAX_BODY), "a whole number above 0",
           "Bytes of a request's body, at most.", _read_size),
    Option("MAPSOS_MAX_ROWS", "max_rows", "off", "a whole number above 0, or off",
           "Observations of an answer, at most: for more there is an exception that tells what to ask for instead.",
           _read_most_rows),
    Option("MAPSOS_MAX_SECONDS", "max_seconds", "off", "a number above 0, or off",
           "Seconds that a request may take: then there is an exception, or the begun answer is broken off.",
           _read_seconds),
    Option("MAPSOS_HTTP_STATUS", "http_status", "off", "on or off",
           "Errors have HTTP status codes of their own; off, they are 200 as in MapServer.", _read_switch),
    Option("MAPSOS_TRUSTED_PROXIES", "trusted_proxies", "", "addresses, CIDR networks, or unix, separated by blanks",
           "Proxies whose Forwarded, X-Forwarded and X-Request-Id headers are believed.", read_trusted_proxies),
    Option("MAPSOS_CORS", "cors", "off", "*, or origins such as https://maps.example.org separated by blanks, or off",
           "Origins whose pages may read answers (CORS).", _read_origins),
    Option("MAPSOS_REST", "rest", "on", "on or off",
           "Maps are also served by the REST interface, under /NAME/exts/SosSOE.", _read_switch),
    Option("MAPSOS_TILES", "tiles", "off", "a URL with {z}, {x} and {y}, or off",
           "Background of the maps on pages; without it they have a graticule, and pages load nothing from elsewhere.",
           _read_tiles),
    Option("MAPSOS_TILES_ATTRIBUTION", "tiles_attribution", "", _ANY_TEXT, "Whom the tiles are from, shown on the map.",
           str),
    Option("MAPSOS_HEALTH", "health", "off", "on or off",
           "The path /healthz tells whether the maps can be read.", _read_switch),
    Option("MAPSOS_METRICS", "metrics", "off", "on or off",
           "The path /metrics counts requests, rows and bytes for Prometheus.", _read_switch),
    Option("MAPSOS_LOG_LEVEL", "log_level", "info", ", ".join(_LOG_LEVELS), "What is logged.", _read_log_level),
    Option("MAPSOS_LOG_FORMAT", "log_format", "text", "text or json",
           "Lines of the log as text, or each as a JSON object.", _read_log_format),
    Option("MAPSOS_CACHE", "cache", "$XDG_CACHE_HOME/mapsos or ~/.cache/mapsos", "an absolute path, or off",
           "Folder for compiled maps, so that a CGI request need not parse them, and for summaries that took long.",
           _read_folder),
    Option("MAPSOS_CGI_WORKER", "cgi_worker", "on", "on or off",
           "A CGI request starts a process that stays and answers the next ones.", _read_switch),
    Option("MAPSOS_CGI_WORKER_IDLE", "cgi_worker_idle", str(DEFAULT_CGI_WORKER_IDLE), "a whole number from 1 to 999999",
           "Seconds without requests after which that process leaves.", _read_count),
    Option("MAPSOS_CGI_WORKER_REQUESTS", "cgi_worker_requests", str(DEFAULT_CGI_WORKER_REQUESTS),
           "a whole number from 1 to 999999", "Requests that it answers at once, at most.", _read_count),
)
"""Every option; the table of the documentation is made from it."""

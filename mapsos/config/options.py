"""The options of the configuration file and the environment: names, defaults, and how each value is parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from mapsos.config.trusted_proxies import read_trusted_proxies
from mapsos.terms.posix_patterns import compile_posix
from mapsos.terms.values import dataclass

DEFAULT_MAX_BODY = 8 * 1024 * 1024
DEFAULT_CGI_WORKER_IDLE = 300
DEFAULT_CGI_WORKER_REQUESTS = 16
DEFAULT_KEYS_LOG_DAYS = 90
DEFAULT_LONG_ANSWERS = 20
DEFAULT_MIN_RATE = 1000
DEFAULT_MAX_WAIT = 10.0
DEFAULT_POSTGRESQL_CONNECTIONS = 32
DEFAULT_BAD_PATTERN = r"[/\\]{2}|[/\\]?\.+[/\\]|,"
DEFAULT_MAPFILE_PATTERN = r"\.map$"
_LOG_FORMATS = ("text", "json")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_TILES = re.compile(r"(?:https?://[a-z0-9.-]+(?::[0-9]{1,5})?)?/[^\s;,'\"<>/][^\s;,'\"<>]*")
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class Option:
    """An option of the ENV block or the environment: its row in the documentation, and how its value is parsed.

    ``read`` raises ValueError for values other than ``allowed``, with a message if there is more to say.
    """

    name: str
    field: str
    default: str
    allowed: str
    meaning: str
    read: Callable[[str], Any]


def _read_folder(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if not os.path.isabs(text) or "\0" in text:
        raise ValueError
    return os.path.normpath(text)


def _read_keys(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if text.startswith(("postgresql://", "postgres://")) and "\0" not in text:
        return text
    if not os.path.isabs(text) or "\0" in text:
        raise ValueError
    return os.path.normpath(text)


def _read_size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise ValueError
    return int(text)


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7) or int(text) == 0:
        raise ValueError
    return int(text)


def _read_most_rows(text: str) -> int | None:
    return None if text.lower() == "off" else _read_size(text)


def _read_seconds(text: str) -> float | None:
    if text.lower() == "off":
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or float(text) == 0:
        raise ValueError
    return float(text)


def _read_wait(text: str) -> float:
    seconds = _read_seconds(text)
    if seconds is None:
        raise ValueError
    return seconds


def _read_origins(text: str) -> tuple[str, ...]:
    words = tuple(text.split())
    if text.lower() == "off":
        return ()
    if words != ("*",) and not all(_ORIGIN.fullmatch(word) for word in words):
        raise ValueError("an origin has a scheme, a host in lower case and optionally a port, and no path")
    return words


def _read_tiles(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if not _TILES.fullmatch(text) or not all(text.count(part) == 1 for part in ("{z}", "{x}", "{y}")):
        raise ValueError("an http or https URL, or a path of this server")
    return text


def _read_level(text: str) -> int:
    if text not in ("0", "1", "2", "3", "4", "5"):
        raise ValueError
    return int(text)


def _read_switch(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("on", "off", "true", "false", "yes", "no", "1", "0"):
        raise ValueError
    return lowered in ("on", "true", "yes", "1")


def _read_log_level(text: str) -> str:
    if text.lower() not in _LOG_LEVELS:
        raise ValueError
    return text.lower()


def _read_log_format(text: str) -> str:
    if text.lower() not in _LOG_FORMATS:
        raise ValueError
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
           "The pattern that the path of a map parameter must match; without it no paths are allowed.", _read_pattern),
    Option("MS_MAP_BAD_PATTERN", "map_bad_pattern", DEFAULT_BAD_PATTERN, _PATTERN,
           "The pattern that the path of a map parameter must not match.", _read_pattern),
    Option("MS_MAP_NO_PATH", "map_no_path", "", _ANY_VALUE, "Maps are only selected by their alias in MAPS.", _is_set),
    Option("MS_MAPFILE_PATTERN", "mapfile_pattern", DEFAULT_MAPFILE_PATTERN, _PATTERN,
           "The pattern that the path of every map must match.", _read_pattern),
    Option("MS_NO_POST", "no_post", "", _ANY_VALUE, "POST requests are rejected.", _is_set),
    Option("MS_NO_VERSION", "no_version", "", _ANY_VALUE, "Responses do not contain the version.", _is_set),
    Option("MS_ERRORFILE", "error_file", "", "a path, stderr or stdout", "Where the log goes.", str),
    Option("MS_DEBUGLEVEL", "debug_level", "0", "0 to 5", "Verbosity of the log; from 1 all is logged.", _read_level),
    Option("MS_MODE", "mode", "", _ANY_TEXT, "The mode of requests without a mode parameter.", str),
    Option("MS_ONLINERESOURCE", "online_resource", "", "a URL",
           "URL of the service where the mapfile does not set it.", str),
    Option("MAPSOS_MAX_BODY", "max_body", str(DEFAULT_MAX_BODY), "a positive integer",
           "Maximum size of the body of a request in bytes.", _read_size),
    Option("MAPSOS_MAX_ROWS", "max_rows", "off", "a positive integer, or off",
           "Maximum number of observations in a response; larger ones are rejected, with advice.",
           _read_most_rows),
    Option("MAPSOS_MAX_SECONDS", "max_seconds", "off", "a positive number, or off",
           "Time limit of a request in seconds. Later there is an exception, or the response is broken off.",
           _read_seconds),
    Option("MAPSOS_WORK_AT_ONCE", "work_at_once", "two for each processor", "an integer from 1 to 999999",
           "Maximum number of batches that a process of the asynchronous server reads or writes at once.", _read_count),
    Option("MAPSOS_LONG_ANSWERS", "long_answers", str(DEFAULT_LONG_ANSWERS), "an integer from 1 to 999999",
           "Maximum number of responses of more than 1 MiB that such a process sends at once.", _read_count),
    Option("MAPSOS_MIN_RATE", "min_rate", str(DEFAULT_MIN_RATE), "an integer from 1 to 999999",
           "Bytes a second, over a minute, below which a client gives up its long response to others that wait.",
           _read_count),
    Option("MAPSOS_MAX_WAIT", "max_wait", f"{DEFAULT_MAX_WAIT:g}", "a positive number",
           "Seconds that a request may wait for others; if it would be more, the response is 503.", _read_wait),
    Option("MAPSOS_POSTGRESQL_CONNECTIONS", "postgresql_connections", str(DEFAULT_POSTGRESQL_CONNECTIONS),
           "an integer from 1 to 999999",
           "Maximum number of connections to PostgreSQL that a process has open at once.", _read_count),
    Option("MAPSOS_HTTP_STATUS", "http_status", "off", "on or off",
           "Errors have the HTTP status codes of errors; off, the status is 200 as in MapServer.", _read_switch),
    Option("MAPSOS_TRUSTED_PROXIES", "trusted_proxies", "", "addresses, CIDR networks, or unix, separated by spaces",
           "Proxies whose Forwarded, X-Forwarded and X-Request-Id headers are trusted.", read_trusted_proxies),
    Option("MAPSOS_CORS", "cors", "off", "*, or origins such as https://maps.example.org separated by spaces, or off",
           "Origins whose pages may read responses (CORS).", _read_origins),
    Option("MAPSOS_REST", "rest", "on", "on or off",
           "Maps are also served by the REST interface, under /NAME/exts/SosSOE.", _read_switch),
    Option("MAPSOS_TILES", "tiles", "off", "a URL with {z}, {x} and {y}, or off",
           "Background of the maps on pages; off, they have a graticule, and pages load nothing from other servers.",
           _read_tiles),
    Option("MAPSOS_TILES_ATTRIBUTION", "tiles_attribution", "", _ANY_TEXT, "Attribution shown on the maps.", str),
    Option("MAPSOS_HEALTH", "health", "off", "on or off",
           "The path /healthz reports whether the maps can be read.", _read_switch),
    Option("MAPSOS_METRICS", "metrics", "off", "on or off",
           "The path /metrics counts requests, rows and bytes for Prometheus.", _read_switch),
    Option("MAPSOS_LOG_LEVEL", "log_level", "warning in the error log of a web server, else info",
           ", ".join(_LOG_LEVELS), "Lowest level to log; info has a line for each request.", _read_log_level),
    Option("MAPSOS_LOG_FORMAT", "log_format", "text", "text or json",
           "Format of the lines of the log: plain text, or a JSON object.", _read_log_format),
    Option("MAPSOS_KEYS", "keys", "off", "an absolute path, a URL such as postgresql://host/database, or off",
           "Where API keys, their counts and the log of their requests are stored.", _read_keys),
    Option("MAPSOS_KEYS_LOG_DAYS", "keys_log_days", str(DEFAULT_KEYS_LOG_DAYS), "an integer from 1 to 999999",
           "Days after which lines of that log are removed.", _read_count),
    Option("MAPSOS_KEYS_OPEN_CAPABILITIES", "keys_open_capabilities", "off", "on or off",
           "GetCapabilities of a map that needs keys is answered without one, as catalogs need it.", _read_switch),
    Option("MAPSOS_KEYS_PAGE", "keys_page", "off", "on or off",
           "The page /_mapsos/keys, on which a key with the right to do so manages keys.", _read_switch),
    Option("MAPSOS_CACHE", "cache", "$XDG_CACHE_HOME/mapsos or ~/.cache/mapsos", "an absolute path, or off",
           "Folder for compiled maps, which CGI requests need not parse again, and for summaries that took long.",
           _read_folder),
    Option("MAPSOS_CGI_WORKER", "cgi_worker", "on", "on or off",
           "A CGI request starts a resident process that answers the next ones.", _read_switch),
    Option("MAPSOS_CGI_WORKER_IDLE", "cgi_worker_idle", str(DEFAULT_CGI_WORKER_IDLE), "an integer from 1 to 999999",
           "Seconds without requests after which that process ends.", _read_count),
    Option("MAPSOS_CGI_WORKER_REQUESTS", "cgi_worker_requests", str(DEFAULT_CGI_WORKER_REQUESTS),
           "an integer from 1 to 999999", "Maximum number of requests that it answers at once.", _read_count),
)
"""All options; the table of the documentation is generated from them."""

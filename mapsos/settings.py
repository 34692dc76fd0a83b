"""What the admin of a server sets: MapServer's configuration file and environment, and the options of mapsos.

Also which maps may be asked for, since that is what most of it is about (reference section 1.3).
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mapsos.patterns import compile_posix

DEFAULT_MAX_BODY = 8 * 1024 * 1024
DEFAULT_CGI_WORKER_IDLE = 300
DEFAULT_CGI_WORKER_REQUESTS = 16
DEFAULT_BAD_PATTERN = r"[/\\]{2}|[/\\]?\.+[/\\]|,"
DEFAULT_MAPFILE_PATTERN = r"\.map$"
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class SettingsError(Exception):
    """An option or the configuration file is wrong; the message names it and what is allowed. For the admin only."""


class MapSelectionError(Exception):
    """A request names no map, or one that the rules do not admit.

    The message is MapServer's; ``routine`` and ``category`` are what stands before it on MapServer's error page.
    """

    def __init__(
        self, message: str, routine: str = "msCGILoadMap", category: str = "Web application error."
    ) -> None:
        super().__init__(message)
        self.message = message
        self.routine = routine
        self.category = category


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
    http_status
        MAPSOS_HTTP_STATUS: whether errors have HTTP status codes of their own; without it they are 200 as in
        MapServer.
    trusted_proxies
        MAPSOS_TRUSTED_PROXIES: addresses and networks of proxies whose headers are believed.
    log_level
        MAPSOS_LOG_LEVEL, in lower case.
    cache
        MAPSOS_CACHE: folder of compiled maps, None for none. It need not exist.
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
    http_status: bool = False
    trusted_proxies: tuple[str, ...] = ()
    log_level: str = "info"
    cache: str | None = None
    cgi_worker: bool = True
    cgi_worker_idle: int = DEFAULT_CGI_WORKER_IDLE
    cgi_worker_requests: int = DEFAULT_CGI_WORKER_REQUESTS
    other: Mapping[str, str] = field(default_factory=dict)


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
    blocks = _read_config(path) if path else {}
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


def select_map(settings: Settings, value: str | None) -> str:
    """The path of the map that a request asks for, by the rules of reference section 1.3; nothing is opened.

    Parameters
    ----------
    value
        The first ``map`` parameter, None if there is none.

    Raises
    ------
    MapSelectionError
        With MapServer's texts. What holds a control character is never admitted.
    """
    if value is None:
        if settings.mapfile is None:
            raise MapSelectionError('CGI variable "map" is not set.')
        path = settings.mapfile
    elif (alias := value.lower()) in settings.maps:
        path = settings.maps[alias]
    elif settings.map_no_path:
        raise MapSelectionError(
            'CGI variable "map" not found in configuration and this server is not configured for full paths.'
        )
    elif settings.map_pattern is None:
        raise MapSelectionError("Required configuration value MS_MAP_PATTERN not set.")
    elif (
        re.search(r"[\x00-\x1f\x7f]", value)
        or compile_posix(settings.map_bad_pattern).search(value)
        or not compile_posix(settings.map_pattern).search(value)
    ):
        raise MapSelectionError('CGI variable "map" fails to validate.')
    else:
        path = value
    if not compile_posix(settings.mapfile_pattern).search(path):
        raise MapSelectionError("Filename validation failed.", "msLoadMap", "Regular expression error.")
    return path


def read_addresses(text: str) -> tuple[str, ...]:
    """Read addresses and networks (IPv4, IPv6, CIDR) separated by blanks. Raises ValueError for anything else."""
    words = tuple(text.split())
    for word in words:
        ipaddress.ip_network(word, strict=False)
    return words


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
    Option("MS_NO_VERSION", "no_version", "", _ANY_VALUE, "The version is not told in comments.", _is_set),
    Option("MS_ERRORFILE", "error_file", "", "a path, stderr or stdout", "Where the log goes.", str),
    Option("MS_DEBUGLEVEL", "debug_level", "0", "0 to 5", "How much is logged, MapServer's way.", _read_level),
    Option("MS_MODE", "mode", "", _ANY_TEXT, "The mode of requests without a mode parameter.", str),
    Option("MS_ONLINERESOURCE", "online_resource", "", "a URL",
           "URL of the service where the mapfile does not say it.", str),
    Option("MAPSOS_MAX_BODY", "max_body", str(DEFAULT_MAX_BODY), "a whole number above 0",
           "Bytes of a request's body, at most.", _read_size),
    Option("MAPSOS_HTTP_STATUS", "http_status", "off", "on or off",
           "Errors have HTTP status codes of their own; off, they are 200 as in MapServer.", _read_switch),
    Option("MAPSOS_TRUSTED_PROXIES", "trusted_proxies", "", "addresses and CIDR networks separated by blanks",
           "Proxies whose Forwarded and X-Forwarded headers are believed.", read_addresses),
    Option("MAPSOS_LOG_LEVEL", "log_level", "info", ", ".join(_LOG_LEVELS), "What is logged.", _read_log_level),
    Option("MAPSOS_CACHE", "cache", "$XDG_CACHE_HOME/mapsos or ~/.cache/mapsos", "an absolute path, or off",
           "Folder for compiled maps, so that a CGI request need not parse them.", _read_folder),
    Option("MAPSOS_CGI_WORKER", "cgi_worker", "on", "on or off",
           "A CGI request starts a process that stays and answers the next ones.", _read_switch),
    Option("MAPSOS_CGI_WORKER_IDLE", "cgi_worker_idle", str(DEFAULT_CGI_WORKER_IDLE), "a whole number from 1 to 999999",
           "Seconds without requests after which that process leaves.", _read_count),
    Option("MAPSOS_CGI_WORKER_REQUESTS", "cgi_worker_requests", str(DEFAULT_CGI_WORKER_REQUESTS),
           "a whole number from 1 to 999999", "Requests that it answers at once, at most.", _read_count),
)
"""Every option; the table of the documentation is made from it."""


_WORDS = re.compile(
    r"(?:[ \t\r\n\f\v]+|\#[^\n]*|/\*.*?\*/)+"
    r"|\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|([^\s\"'\#]+)",
    re.S,
)
_BLOCKS = ("env", "maps", "plugins")


def _read_config(path: str) -> dict[str, dict[str, str]]:
    """The blocks of a configuration file: pairs by block, all names in lower case."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise SettingsError(f"{path}: the configuration file cannot be read: {error.strerror}") from error
    words = _split_config(text, path)
    blocks: dict[str, dict[str, str]] = {}
    line, word, _ = next(words, (1, "", False))
    if word.lower() != "config":
        raise SettingsError(f"{path}:{line}: a configuration file begins with CONFIG")
    for line, word, quoted in words:
        name = word.lower()
        if name == "end" and not quoted:
            return blocks
        if name not in _BLOCKS or quoted:
            raise SettingsError(f"{path}:{line}: {word} is no block of a configuration; allowed: ENV, MAPS, PLUGINS")
        pairs = blocks.setdefault(name, {})
        for key_line, key, key_quoted in words:
            if key.lower() == "end" and not key_quoted:
                break
            value_line, value, value_quoted = next(words, (key_line, "END", False))
            if value.lower() == "end" and not value_quoted:
                raise SettingsError(f"{path}:{value_line}: {key} has no value")
            pairs[key.lower()] = value
        else:
            raise SettingsError(f"{path}:{line}: {word} is not ended: END is missing")
    raise SettingsError(f"{path}: CONFIG is not ended: END is missing")


def _split_config(text: str, path: str) -> Iterator[tuple[int, str, bool]]:
    position, line = 0, 1
    while position < len(text):
        match = _WORDS.match(text, position)
        if match is None:
            raise SettingsError(f"{path}:{line}: the quote {text[position]} that opens here is never closed")
        if match.lastindex:
            word = match[match.lastindex]
            quoted = match.lastindex < 3
            yield line, re.sub(r"\\([\"'\\])", r"\1", word) if quoted else word, quoted
        line += match[0].count("\n")
        position = match.end()

"""Read the settings of a server: MapServer's configuration file and environment, and the options of mapsos."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mapsos.config.config_file import SettingsError, read_config
from mapsos.config.installation import require_gdal
from mapsos.config.options import (
    DEFAULT_BAD_PATTERN,
    DEFAULT_CGI_WORKER_IDLE,
    DEFAULT_CGI_WORKER_REQUESTS,
    DEFAULT_KEYS_LOG_DAYS,
    DEFAULT_LONG_ANSWERS,
    DEFAULT_MAPFILE_PATTERN,
    DEFAULT_MAX_BODY,
    DEFAULT_MAX_WAIT,
    DEFAULT_MIN_RATE,
    DEFAULT_POSTGRESQL_CONNECTIONS,
    OPTIONS,
)
from mapsos.config.trusted_proxies import TrustedProxies
from mapsos.terms.values import dataclass

__all__ = ["Settings", "SettingsError", "read_settings"]


@dataclass(frozen=True)
class Settings:
    """The settings of one server, as returned by `read_settings`; servers of given mapfiles build their own.

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
        MAPSOS_MAX_BODY: maximum bytes of a request's body.
    max_rows
        MAPSOS_MAX_ROWS: maximum observations of an answer, None without a limit. More are rejected, never cut off.
    max_seconds
        MAPSOS_MAX_SECONDS: time limit of a request in seconds, None without a limit.
    work_at_once, long_answers, min_rate, max_wait
        MAPSOS_WORK_AT_ONCE, MAPSOS_LONG_ANSWERS, MAPSOS_MIN_RATE (bytes a second) and MAPSOS_MAX_WAIT (seconds): the
        bounds of one process of the asynchronous server. No ``work_at_once``: two for each processor.
    postgresql_connections
        MAPSOS_POSTGRESQL_CONNECTIONS: maximum number of connections to PostgreSQL of one process.
    http_status
        MAPSOS_HTTP_STATUS: whether errors have the HTTP status codes of errors; without it the status is 200 as in
        MapServer.
    trusted_proxies
        MAPSOS_TRUSTED_PROXIES: addresses and networks of proxies whose headers are trusted.
    cors
        MAPSOS_CORS: origins whose pages may read answers, ``*`` for all.
    rest
        MAPSOS_REST: whether maps are served by the REST interface too.
    tiles, tiles_attribution
        MAPSOS_TILES and MAPSOS_TILES_ATTRIBUTION: the template of the URLs of background tiles on the pages' maps, None
        without tiles, and their attribution.
    health, metrics
        MAPSOS_HEALTH and MAPSOS_METRICS: whether ``/healthz`` and ``/metrics`` are answered.
    log_level, log_format
        MAPSOS_LOG_LEVEL and MAPSOS_LOG_FORMAT, in lower case. No level: info for `mapsos serve`
        and for a file, warning for the error log of a web server.
    keys
        MAPSOS_KEYS: where keys are stored, the absolute path of a file or a URL of PostgreSQL; None without keys.
    keys_log_days
        MAPSOS_KEYS_LOG_DAYS: days after which lines of the log of requests are removed.
    keys_open_capabilities, keys_page
        MAPSOS_KEYS_OPEN_CAPABILITIES and MAPSOS_KEYS_PAGE: whether GetCapabilities of a map that needs keys is answered
        without one, and whether the page that manages keys is served.
    cache
        MAPSOS_CACHE: folder of compiled maps and of summaries, None without a cache. It need not exist.
    cgi_worker, cgi_worker_idle, cgi_worker_requests
        MAPSOS_CGI_WORKER: whether CGI processes start a resident process that answers the next requests; after how many
        seconds without requests it ends; how many requests it answers at once.
    other
        The pairs of the ENV block that are not options of mapsos: MapServer passes them to GDAL, PROJ and libpq as
        environment variables.
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
    work_at_once: int | None = None
    long_answers: int = DEFAULT_LONG_ANSWERS
    min_rate: int = DEFAULT_MIN_RATE
    max_wait: float = DEFAULT_MAX_WAIT
    postgresql_connections: int = DEFAULT_POSTGRESQL_CONNECTIONS
    http_status: bool = False
    trusted_proxies: TrustedProxies = TrustedProxies()
    cors: tuple[str, ...] = ()
    rest: bool = True
    tiles: str | None = None
    tiles_attribution: str = ""
    health: bool = False
    metrics: bool = False
    log_level: str | None = None
    log_format: str = "text"
    keys: str | None = None
    keys_log_days: int = DEFAULT_KEYS_LOG_DAYS
    keys_open_capabilities: bool = False
    keys_page: bool = False
    cache: str | None = None
    cgi_worker: bool = True
    cgi_worker_idle: int = DEFAULT_CGI_WORKER_IDLE
    cgi_worker_requests: int = DEFAULT_CGI_WORKER_REQUESTS
    other: Mapping[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that are allowed."""
        return ("GET", "HEAD") if self.no_post else ("GET", "HEAD", "POST")


def read_settings(environ: Mapping[str, str], conf: str | None = None) -> Settings:
    """Read the settings of a process.

    Parameters
    ----------
    environ
        Environment variables. The configuration file takes precedence.
    conf
        The configuration file; None for the one that MAPSERVER_CONFIG_FILE names. Without either, only the
        environment is used (MapServer would report an error).

    Raises
    ------
    SettingsError
        The configuration file cannot be read or parsed, an option has a wrong value, or an option that begins with
        MAPSOS\\_ is unknown; or GDAL is missing.
    """
    require_gdal()
    path = conf or environ.get("MAPSERVER_CONFIG_FILE") or None
    blocks = read_config(path) if path else {}
    stated = {name.upper(): value for name, value in blocks.get("env", {}).items()}
    known = {option.name for option in OPTIONS}
    for name in stated:
        if name.startswith("MAPSOS_") and name not in known:
            # 1.4 ms of every CGI start, for a message that ends it.
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            raise SettingsError(f"{path}: unknown option {name}{f'. Did you mean {near[0]}?' if near else ''}")
    values: dict[str, Any] = {"cache": _default_cache(environ)}
    for option in OPTIONS:
        text = stated.get(option.name, environ.get(option.name))
        if text is not None:
            try:
                values[option.field] = option.read(text)
            except ValueError as error:
                detail = f" ({error})" if str(error) else ""
                # A URL with an account has a password.
                shown = f"{text.partition('//')[0]}//..." if "//" in text and "@" in text else text
                raise SettingsError(f'{option.name}: expected {option.allowed}, got "{shown}"{detail}') from None
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

"""Every option of docs/settings.md does something: what the WSGI application answers and logs with it and without."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from mapsos.config.options import OPTIONS
from mapsos.servers import wsgi_adapter

WEATHER = str(Path(__file__).parents[2] / "examples" / "mapfiles" / "weather.map")
CAPABILITIES = "service=SOS&request=GetCapabilities"
OBSERVATION = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=nile&observedProperty=discharge"
    "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
)
TILES = "https://tiles.example.org/{z}/{x}/{y}.png"
LOG = {"MS_ERRORFILE": "{folder}/log"}
"""Where `ask` finds the lines of the log; ``{folder}`` is that of the test."""


@dataclass(frozen=True)
class Effect:
    """A value of an option, and a ``sign``: with it there or gone, it is the other way round without."""

    value: str
    sign: str
    query: str = CAPABILITIES
    path: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    """Further options, with it and without."""


BY_PATH = {"MS_MAP_PATTERN": "^/"}
NAMED = f"map={WEATHER}&{CAPABILITIES}"
ANSWERED = "<sos:Capabilities"
LOGGED = "complete, from"
EFFECTS = {
    "MS_MAPFILE": Effect(WEATHER, ANSWERED),
    "MS_MAP_PATTERN": Effect("^/", ANSWERED, NAMED),
    "MS_MAP_BAD_PATTERN": Effect("weather", ANSWERED, NAMED, others=BY_PATH),
    "MS_MAP_NO_PATH": Effect("1", ANSWERED, NAMED, others=BY_PATH),
    "MS_MAPFILE_PATTERN": Effect(r"\.txt$", ANSWERED),
    "MS_NO_POST": Effect("1", ANSWERED, body=CAPABILITIES),
    "MS_NO_VERSION": Effect("1", "mapsos_info", path="/metrics", others={"MAPSOS_METRICS": "on"}),
    "MS_ERRORFILE": Effect("{folder}/log", LOGGED),
    "MS_DEBUGLEVEL": Effect("1", LOGGED, others={**LOG, "MAPSOS_LOG_LEVEL": "error"}),
    "MS_MODE": Effect("map", "Invalid mode."),
    "MS_ONLINERESOURCE": Effect("http://stated.example/sos?", "http://stated.example/sos?"),
    "MAPSOS_MAX_BODY": Effect("10", "413 ", body=CAPABILITIES),
    "MAPSOS_MAX_ROWS": Effect("10", "ResponseExceedsSizeLimit", OBSERVATION),
    "MAPSOS_MAX_SECONDS": Effect("0.000001", "exceeded the time limit", OBSERVATION),
    "MAPSOS_HTTP_STATUS": Effect("on", "400 Bad Request", "service=SOS&request=None"),
    "MAPSOS_TRUSTED_PROXIES": Effect(
        "127.0.0.1", "from 203.0.113.5", headers={"HTTP_X_FORWARDED_FOR": "203.0.113.5"}, others=LOG
    ),
    "MAPSOS_CORS": Effect("*", "Access-Control-Allow-Origin", headers={"HTTP_ORIGIN": "https://a.example"}),
    "MAPSOS_REST": Effect("off", "application/json", "f=json", "/exts/SosSOE"),
    "MAPSOS_TILES": Effect(TILES, "tiles.example.org", "", "/exts/SosSOE"),
    "MAPSOS_TILES_ATTRIBUTION": Effect("The mapmakers", "The mapmakers", "", "/exts/SosSOE", others={
        "MAPSOS_TILES": TILES
    }),
    "MAPSOS_HEALTH": Effect("on", "\nok\n", path="/healthz"),
    "MAPSOS_METRICS": Effect("on", "mapsos_requests_total", path="/metrics"),
    "MAPSOS_LOG_LEVEL": Effect("error", LOGGED, others=LOG),
    "MAPSOS_LOG_FORMAT": Effect("json", '"outcome"', others=LOG),
    "MAPSOS_KEYS": Effect("{folder}/keys.db", "API keys cannot be checked", headers={"HTTP_X_API_KEY": 40 * "0"}),
    "MAPSOS_CACHE": Effect("{folder}/cache", "kept: weather.map"),
}  # fmt: skip
ELSEWHERE = {
    "MAPSOS_WORK_AT_ONCE": "../servers/asynchronous/test_adapter.py",
    "MAPSOS_LONG_ANSWERS": "../servers/asynchronous/test_adapter.py",
    "MAPSOS_MIN_RATE": "../servers/asynchronous/test_adapter.py",
    "MAPSOS_MAX_WAIT": "../servers/asynchronous/test_adapter.py",
    "MAPSOS_POSTGRESQL_CONNECTIONS": "../postgis/test_connection_limit.py",
    "MAPSOS_KEYS_LOG_DAYS": "../access/test_gate.py",
    "MAPSOS_KEYS_OPEN_CAPABILITIES": "../access/test_gate.py",
    "MAPSOS_KEYS_PAGE": "../pages/test_key_page.py",
    "MAPSOS_CGI_WORKER": "../support/apache.py",
    "MAPSOS_CGI_WORKER_IDLE": "../servers/resident/test_worker_life.py",
    "MAPSOS_CGI_WORKER_REQUESTS": "../servers/resident/test_worker_life.py",
}
"""Options of CGI processes, of the asynchronous server and of PostgreSQL, and where they are tested."""


def ask(effect: Effect) -> str:
    """All that there is to see: status, headers and body, the log, and what is in the cache folder."""
    environ: dict[str, Any] = {
        "SCRIPT_NAME": "/sos",
        "PATH_INFO": effect.path,
        "QUERY_STRING": "" if effect.body else effect.query,
        "REQUEST_METHOD": "POST" if effect.body else "GET",
        "REMOTE_ADDR": "127.0.0.1",
        **effect.headers,
    }
    if effect.body:
        environ |= {"CONTENT_LENGTH": str(len(effect.body)), "CONTENT_TYPE": "application/x-www-form-urlencoded"}
        environ["wsgi.input"] = io.BytesIO(effect.body.encode())
    setup_testing_defaults(environ)
    seen: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        seen.extend([status, *map(": ".join, headers), ""])

    body = wsgi_adapter.application(environ, start_response)
    try:
        seen.append(b"".join(body).decode())
    finally:
        getattr(body, "close", lambda: None)()
    return "\n".join(seen)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_option_does_something(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    effect = EFFECTS[name]
    for option in OPTIONS:
        monkeypatch.delenv(option.name, raising=False)
    monkeypatch.delenv("MAPSERVER_CONFIG_FILE", raising=False)
    # Without a home there is no cache folder but one that is named.
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = []
    for number, value in enumerate((None, effect.value)):
        folder = tmp_path / str(number)
        folder.mkdir()
        others = effect.others if name == "MS_MAPFILE" else {"MS_MAPFILE": WEATHER, **effect.others}
        for option, text in {**others, **({} if value is None else {name: value})}.items():
            monkeypatch.setenv(option, text.replace("{folder}", str(folder)))
        monkeypatch.setattr(wsgi_adapter, "_applications", {})
        seen = [ask(effect)]
        seen += [path.read_text() for path in folder.glob("log")]
        seen += [f"kept: {path.name}" for path in folder.glob("cache/*")]
        found.append(effect.sign in "\n".join(seen))
    assert found in ([False, True], [True, False])


def test_no_option_is_without_a_test() -> None:
    assert {*EFFECTS, *ELSEWHERE} == {option.name for option in OPTIONS}
    for name, file in ELSEWHERE.items():
        assert name in (Path(__file__).parent / file).read_text()

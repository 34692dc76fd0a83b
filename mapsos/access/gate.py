"""The gate in front of every interface: which key a request has, whether it is accepted, and what it is charged."""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace

from mapsos.access.credentials import PARAMETER, Credentials, take_keys
from mapsos.access.databases.database import StoreError
from mapsos.access.keys import Key, read_digits
from mapsos.access.log_store import LogEntry
from mapsos.access.request_log import RequestLog
from mapsos.access.store import KeyStore, open_store
from mapsos.config.settings import Settings
from mapsos.terms.failures import AccessError, require_key, shorten
from mapsos.terms.names.addresses import parse_address
from mapsos.terms.times import DAY, MINUTE, SECOND, current_time
from mapsos.web.messages import Ending, Request, Response, add_vary

log = logging.getLogger("mapsos")

MOST_FAILURES = 10
"""Wrong keys from one address in a minute; further ones are answered by 429."""

_UNCOUNTED = ("HEAD", "OPTIONS")
_MOST_BLOCKED = 10_000
_LONGEST = 64

Clock = Callable[[], int]


class Gate:
    """The keys of a server under its settings. Safe for threads, and for processes that share the store.

    Parameters
    ----------
    settings
        ``keys`` is the location of the store.
    clock
        Returns the current time in microseconds since 1970 UTC.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        assert settings.keys is not None
        self.store, self._log = _share_store(settings.keys, settings.keys_log_days)
        self.clock = clock
        self._paths = {alias.lower(): os.path.abspath(path) for alias, path in settings.maps.items()}
        self._aliases = {path: alias for alias, path in reversed(self._paths.items())}
        self._blocked: dict[str, int] = {}
        self._lock = threading.Lock()

    def receive(self, request: Request) -> tuple[Request, Requester]:
        """Return the request without its key, and the requester, whose key is not yet checked."""
        bare, credentials = take_keys(request)
        return bare, Requester(self, bare, credentials)

    def find_time(self) -> int:
        """Return the current time in microseconds since 1970 UTC."""
        return self.clock() if self.clock is not None else current_time()

    def flush(self) -> None:
        """Write the lines of the log that wait."""
        self._log.flush()

    def charge(self, entry: LogEntry) -> None:
        """Note a request in the log, without waiting for the store."""
        self._log.add(entry)

    def name_map(self, file: str) -> str:
        """Return the alias of a map, else its path."""
        return self._aliases.get(file, file)

    def includes_map(self, key: Key, file: str) -> bool:
        """Return whether a key is for a map."""
        if key.maps is None:
            return True
        return any(self._paths.get(name.lower(), os.path.abspath(name)) == file for name in key.maps)

    def reject_wrong(self, address: str, now: int) -> AccessError:
        """Count a wrong key and return its rejection. Raises StoreError."""
        client, minute = _generalize(address), now // MINUTE
        wait = (MINUTE // SECOND) - now % MINUTE // SECOND
        # Further wrong keys must not cost a write each.
        if self._blocked.get(client) == minute:
            return _reject_many(wait)
        if self.store.count_failure(client, now) <= MOST_FAILURES:
            return AccessError("API key invalid. Please ask the admins for a valid API key.", 401)
        with self._lock:
            if len(self._blocked) >= _MOST_BLOCKED:
                self._blocked.clear()
            self._blocked[client] = minute
        return _reject_many(wait)


class Requester:
    """The client of one request, and what its key allows."""

    def __init__(self, gate: Gate, request: Request, credentials: Credentials) -> None:
        self._gate = gate
        self._credentials = credentials
        self._address = request.environ.get("REMOTE_ADDR", "")
        self._method = request.method
        self._time = gate.find_time()
        self._map = ""
        self._is_counted = False
        self._depends = self.has_keys
        self._is_rejected = False
        self.key: Key | None = None

    @property
    def has_keys(self) -> bool:
        """Whether the request contained a key, right or wrong, or one under a misspelt name."""
        return bool(self._credentials.keys) or self._credentials.misspelt is not None

    def note_rejection(self) -> None:
        """Note that the request is rejected: it is neither counted nor logged."""
        self._is_rejected = True

    def note_dependence(self) -> None:
        """Note that the answer would differ for another key, or without one."""
        self._depends = True

    def admit(self, file: str | None, *, needs_key: bool, writes: bool = False, is_admin: bool = False) -> bool:
        """Check the key of the request and count it, once for each request. Return whether it has a right key.

        Parameters
        ----------
        file
            The absolute path of the map, None for what concerns no map.
        needs_key
            Whether the request is rejected without a key; one that was sent is checked in any case.
        writes
            Whether the request changes data.
        is_admin
            Whether the request is for the management of keys, which needs that right and is not counted.

        Raises
        ------
        AccessError
            The request is rejected, or the store cannot be used.
        """
        if self._credentials.misspelt is not None:
            raise AccessError(f"unknown parameter {self._credentials.misspelt}: did you mean {PARAMETER}?", 400)
        if len(self._credentials.keys) > 1:
            raise AccessError("api-key is ambiguous: the request has two different keys", 400)
        self._depends = self._depends or needs_key
        if not self._credentials.keys:
            if needs_key:
                raise require_key()
            return False
        try:
            self._check(file, writes=writes, is_admin=is_admin)
        except StoreError as error:
            wait = 5 if error.reason == "busy" else None
            message = "API keys cannot be checked at the moment. Repeat the request later."
            raise AccessError(message, 503, retry_after=wait, detail=str(error)) from error
        return True

    def may_use(self, file: str) -> bool:
        """Return whether the key, once it is checked, is for a map."""
        return self.key is not None and self._gate.includes_map(self.key, file)

    def _check(self, file: str | None, *, writes: bool, is_admin: bool) -> None:
        gate, now = self._gate, self._time
        if self.key is None:
            (text,) = self._credentials.keys
            secret = read_digits(text)
            key = gate.store.find(secret, now) if secret is not None else None
            if key is None:
                raise gate.reject_wrong(self._address, now)
            if key.is_expired(now):
                raise AccessError("API key invalid. It has expired; please ask the admins for a new one.", 401)
            if not key.active:
                raise AccessError(
                    "This API key is not active. Please wait for it to be approved by the admins.", 403
                )
            self.key = key
        key = self.key
        if file is not None and not gate.includes_map(key, file):
            raise AccessError("API key invalid. It is for other maps; please ask the admins for one for this map.", 401)
        if writes and not key.may_write:
            raise AccessError(
                "This API key does not include access permissions to post data. Please ask the admins if you need "
                "POST permissions.",
                403,
            )
        if is_admin and not key.may_admin:
            raise AccessError("This API key does not include permissions to manage keys.", 403)
        if file is not None:
            self._map = gate.name_map(file)
        if not self._is_counted and not is_admin and self._method not in _UNCOUNTED:
            if not gate.store.count(key.name, key.per_day, now):
                raise AccessError(
                    f"The number of today API requests is too high. The limit is {key.per_day} per day. "
                    "Please ask admin to increase the limit.",
                    429,
                    retry_after=(DAY - now % DAY) // SECOND + 1,
                )
            self._is_counted = True

    def finish(self, response: Response) -> Response:
        """Return the response as one that depends on the key, where it does; its end is charged to the key."""
        if self._depends:
            response = replace(response, headers=_make_private(response.headers))
        if self.key is None:
            return response
        if response.status == 304 or self._is_rejected:
            self._count_back()
        return response if self._is_rejected else replace(response, note_end=self._charge)

    def _charge(self, ending: Ending) -> None:
        assert self.key is not None
        if ending.outcome == "discarded":
            # The request is made anew, with a new count.
            self._count_back()
            return
        self._gate.charge(
            LogEntry(
                time=self._time,
                name=self.key.name,
                address=shorten(self._address, _LONGEST),
                method=shorten(self._method, _LONGEST),
                map=self._map,
                operation=ending.operation,
                status=ending.status,
                rows=ending.rows,
                bytes=ending.bytes,
                ms=round(ending.seconds * 1000, 1),
            )
        )

    def _count_back(self) -> None:
        if not self._is_counted or self.key is None:
            return
        self._is_counted = False
        try:
            self._gate.store.count_back(self.key.name, self._time)
        except StoreError as error:
            log.warning("a request of the key %s is counted that should not be: %s", self.key.name, error)


@functools.cache
def _share_store(location: str, days: int) -> tuple[KeyStore, RequestLog]:
    """Return the store of a location and its log, the same for all applications of a process."""
    store = open_store(location)
    return store, RequestLog(store.database, days)


def _make_private(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return headers by which no cache shares the response between clients (RFC 9111, clause 5.2.2.7)."""
    stated = [word.strip() for name, value in headers if name == "Cache-Control" for word in value.split(",")]
    if "no-store" not in stated:
        stated = ["private", *(word for word in stated if word not in ("public", "private"))]
    rest = tuple(pair for pair in headers if pair[0] != "Cache-Control")
    return add_vary(add_vary((*rest, ("Cache-Control", ", ".join(stated))), "Authorization"), "X-Api-Key")


def _generalize(address: str) -> str:
    """Return the address that wrong keys are counted for: of IPv6 the network of 64 bits, which one client can have."""
    try:
        parsed = parse_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return f"{parsed.exploded[:19]}::/64"


def _reject_many(wait: int) -> AccessError:
    return AccessError("Too many wrong API keys from this address. Repeat the request later.", 429, retry_after=wait)

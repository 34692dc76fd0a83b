"""The page ``/_mapsos/keys``: list keys, draw their requests, change them (docs/keys.md, "The page of keys")."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mapsos.access.databases.database import StoreError
from mapsos.access.keys import Key, KeyExistsError, KeyMissingError, KeysError, list_days
from mapsos.access.store import DAYS
from mapsos.mapfile.errors import MapfileError
from mapsos.ows.decoding import FORM, decode_request
from mapsos.ows.raw_request import RawRequest
from mapsos.pages.answer import Pages
from mapsos.pages.content_security import write_headers
from mapsos.pages.key_forms import FIELDS, Change, Typed, make_change
from mapsos.pages.links import list_trail, open_site
from mapsos.pages.paths import KEYS_PATH, PAGE_OPERATION
from mapsos.pages.rendering import Link, render_page
from mapsos.pages.wording import PageLanguage, share_language
from mapsos.rest.answer import decoding_errors, tell_methods
from mapsos.rest.errors import MethodError, RestError, translate_failure
from mapsos.terms.failures import AccessError, Failure, miss_store
from mapsos.terms.names.addresses import parse_address
from mapsos.terms.times import SECOND, format_instant
from mapsos.web.messages import Request, Response
from mapsos.web.own_url import build_own_url

if TYPE_CHECKING:
    from mapsos.access.gate import Requester
    from mapsos.operations.host import Host

_MOST_OF_FORM = 65_536
_UNCACHED = ("Cache-Control", "no-store")
_CURVES = 6
"""The most curves of the plot, each of another colour: those of the keys with the most requests."""


class KeysExchange:
    """One request for the page of keys. The requester needs a key with the right to manage keys."""

    def __init__(self, request: Request, host: Host, requester: Requester | None) -> None:
        self._request = request
        self._host = host
        self._requester = requester

    def answer(self) -> Response:
        """Answer the request. Raises RestError and AccessError."""
        request = self._request
        methods = ("GET", "HEAD", "POST") if "POST" in self._host.settings.methods else ("GET", "HEAD")
        if request.method not in methods:
            raise MethodError(request.method, methods)
        if not _is_private(request):
            raise AccessError("API keys are managed over HTTPS, or on the machine of the server itself", 403)
        if request.method == "POST" and not _is_from_page(request):
            raise AccessError("The form was not sent by this page", 403)
        gate = self._host.gate
        if gate is None or self._requester is None:
            raise miss_store()
        self._requester.admit(None, needs_key=True, is_admin=True)
        try:
            if request.method == "POST":
                return self._change()
            return self._write(200)
        except StoreError as error:
            message = "API keys cannot be read or changed at the moment. Repeat the request later."
            wait = 5 if error.reason == "busy" else None
            raise AccessError(message, 503, retry_after=wait, detail=str(error)) from error

    def report(self, failure: Failure) -> Response:
        """Report a failure as a page."""
        error = translate_failure(failure)
        page = tell_methods(Pages(self._request, self._host).write_error(error, None), error)
        if isinstance(failure.error, AccessError):
            # Whose headers have it.
            return page
        return replace(page, headers=(*page.headers, _UNCACHED))

    def _change(self) -> Response:
        with decoding_errors():
            raw = decode_request(self._request, RawRequest({}), _MOST_OF_FORM, _reject_body)
        typed = Typed({name: tuple(map(str, texts)) for name, texts in raw.values.items()})
        gate = self._host.gate
        assert gate is not None
        try:
            change = make_change(gate.store, typed, self._host.settings.maps, gate.find_time())
        except KeysError as error:
            status = 404 if isinstance(error, KeyMissingError) else 409 if isinstance(error, KeyExistsError) else 400
            return self._write(status, typed, fault=str(error))
        return self._write(200, change=change)

    def _write(
        self, status: int, typed: Typed | None = None, *, fault: str = "", change: Change | None = None
    ) -> Response:
        gate = self._host.gate
        assert gate is not None
        now = gate.find_time()
        keys = gate.store.list_keys(now)
        site = open_site(self._request, self._host, _choose_language(self._host))
        gettext = translate = site.language.wording.gettext
        here = Link(gettext("API keys"), f"{site.root}{KEYS_PATH}")
        values = {
            "title": here.text,
            "named": False,
            "trail": list_trail(site, None, here),
            "formats": (),
            "action": here.href,
            "has_forms": "POST" in self._host.settings.methods,
            "keys": [_describe(key, today, now) for key, today in keys],
            "maps": sorted(self._host.settings.maps),
            "chosen": typed.read_all("map") if typed is not None else (),
            "typed": {name: typed.read(name) if typed is not None else "" for name in FIELDS},
            "marked": {name: typed is not None and bool(typed.read(name)) for name in ("write", "admin")},
            "fault": fault,
            "change": change,
            "done": translate(change.done) % {"name": change.name} if change is not None else "",
            "curves": _list_curves(gate.store.count_days(now), now),
        }
        headers = (
            ("Content-Type", "text/html; charset=UTF-8"),
            _UNCACHED,
            *write_headers(self._host.settings.tiles),
        )
        body = render_page("keys", site, values)
        return Response(status, headers, (body,), error=status >= 400, operation=PAGE_OPERATION)


def _reject_body(data: bytes) -> RawRequest:
    raise RestError("the body of the request is not a form", f"send {FORM}")


def _is_private(request: Request) -> bool:
    """Return whether others cannot read the request: it came over HTTPS, or never left the machine.

    Over HTTP the name of the host must also be one of this machine: a proxy on it that is not trusted sends others.
    """
    url = urlsplit(build_own_url(request, None) or "")
    is_here = url.hostname == "localhost" or _is_loopback(url.hostname)
    return url.scheme == "https" or (is_here and _is_loopback(request.environ.get("REMOTE_ADDR")))


def _is_loopback(address: str | None) -> bool:
    try:
        return parse_address(address or "").is_loopback
    except ValueError:
        return False


def _is_from_page(request: Request) -> bool:
    """Return whether a page of this server sent the form, as its browser states (Fetch Metadata; RFC 6454).

    Other pages cannot change these headers. A request without either is rejected.
    """
    site = request.environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site == "same-origin"
    own = urlsplit(build_own_url(request, None) or "")
    origin = urlsplit(request.environ.get("HTTP_ORIGIN", ""))
    return bool(origin.scheme) and _name_origin(own.scheme, own.netloc) == _name_origin(origin.scheme, origin.netloc)


def _name_origin(scheme: str, host: str) -> tuple[str, str]:
    default = {"http": ":80", "https": ":443"}.get(scheme, "")
    return scheme, host.lower().removesuffix(default) if default else host.lower()


def _choose_language(host: Host) -> PageLanguage:
    """Return the language that all maps of the server have, else English."""
    paths = {*host.settings.maps.values(), *filter(None, (host.settings.mapfile,))}
    found = set()
    for path in paths:
        try:
            found.add(host.find_service(path).language)
        except MapfileError:
            continue
    return share_language(found)


def _describe(key: Key, today: int, now: int) -> dict[str, Any]:
    return {
        "name": key.name,
        "starts": key.starts,
        "active": key.active,
        "expired": key.is_expired(now),
        "write": key.may_write,
        "admin": key.may_admin,
        "per_day": key.per_day,
        "today": today,
        "used": _show(key.used),
        "used_from": key.used_from,
        "expires": _show(key.expires),
        "maps": key.maps,
        "contact": key.contact,
        "note": key.note,
        "retiring": [(starts, _show(until)) for starts, until in key.retiring],
    }


def _show(time: int | None) -> str:
    return "" if time is None else format_instant(time - time % SECOND).replace("Z", "+00:00")


def _list_curves(counts: dict[str, tuple[int, ...]], now: int) -> dict[str, Any]:
    """Return the days and the counts that are drawn; ``others`` is the number of keys that are not."""
    used = {name: days for name, days in counts.items() if any(days)}
    drawn = sorted(sorted(used, key=lambda name: -sum(used[name]))[:_CURVES])
    return {
        "days": list_days(DAYS, now),
        "counts": {name: used[name] for name in drawn},
        "others": len(used) - len(drawn),
    }

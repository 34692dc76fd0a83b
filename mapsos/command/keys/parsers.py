"""The parsers of ``mapsos keys`` and of its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mapsos.command.arguments import count, make_parser

if TYPE_CHECKING:
    from argparse import ArgumentParser

_OVERVIEW = """\
actions:
  add NAME            make a key and print it, once
  list                list keys: rights, limit, requests today, last use
  show NAME           show a key, with its requests of the last 30 days
  disable NAME        reject its requests from now on, until enable
  enable NAME         accept them again
  limit NAME N|none   set the maximum number of requests a day
  rotate NAME         replace the key, and print the new one
  remove NAME         remove the key
  log [NAME]          list requests, the oldest first

examples:
  mapsos keys add gauges --per-day 5000 --contact office@example.org
  mapsos keys list
  mapsos keys rotate gauges --keep 48
  mapsos keys log gauges --since 2h

mapsos keys ACTION --help explains an action. Keys are in the file or database
that MAPSOS_KEYS names, in the environment or in the configuration file."""

_EPILOGS = {
    "add": """\
examples:
  mapsos keys add gauges
  mapsos keys add logger --write --map river --expires 365d
  mapsos keys add office --admin > office.key
  mapsos keys add old-client --key - < key-of-the-old-gateway

The first key makes the store: a file of mode 0600 in a folder that only the
server's user can write to, or tables in PostgreSQL. A key is stored as a hash,
so nothing can show it again; if it is lost, rotate it.""",
    "list": """\
examples:
  mapsos keys list
  mapsos keys list --unused 90
  mapsos keys list --json | jq -r '.[] | select(.active) | .name'""",
    "show": """\
example:
  mapsos keys show gauges""",
    "disable": """\
example:
  mapsos keys disable gauges

Clients get status 403. It holds from the next request on, in every process.""",
    "enable": """\
example:
  mapsos keys enable gauges""",
    "limit": """\
examples:
  mapsos keys limit gauges 5000
  mapsos keys limit gauges none

A day begins at midnight UTC. Requests of today that were already counted count.""",
    "rotate": """\
examples:
  mapsos keys rotate gauges
  mapsos keys rotate gauges --keep 48

Name, rights, counts and log stay. The second example leaves the owner two days
in which the old key and the new one work.""",
    "remove": """\
example:
  mapsos keys remove gauges

Its lines of the log stay until they are older than MAPSOS_KEYS_LOG_DAYS. To be
able to undo it, disable the key instead.""",
    "log": """\
examples:
  mapsos keys log --since 2h
  mapsos keys log gauges --since 2026-11-01 --until 2026-12-01 --json > november.jsonl
  mapsos keys log --status 429 --last 20

Times are in UTC. Lines are removed after MAPSOS_KEYS_LOG_DAYS (90).""",
}


def _make(action: str, description: str, *, has_name: bool = True) -> ArgumentParser:
    parser = make_parser(f"keys {action}", description, _EPILOGS[action])
    if has_name:
        parser.add_argument("name", metavar="NAME", help="name of the key")
    parser.add_argument(
        "--keys", metavar="PATH|URL", help="file or postgresql:// URL of the store, instead of MAPSOS_KEYS"
    )
    parser.add_argument("--conf", metavar="FILE", help="configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--json", action="store_true", help="write JSON")
    return parser


def make_keys_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys``, which lists the actions."""
    parser = make_parser("keys", "Manage API keys, their limits, and the log of their requests.", _OVERVIEW)
    parser.add_argument("action", metavar="ACTION", choices=tuple(ACTIONS), help="one of those below")
    parser.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="arguments of the action")
    return parser


def make_add_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys add``."""
    parser = _make("add", "Make a key and print it alone on standard output. It is shown this one time.")
    parser.add_argument("--write", action="store_true", help="allow requests that change data")
    parser.add_argument("--admin", action="store_true", help="allow the page that manages keys")
    parser.add_argument("--per-day", metavar="N", type=count, help="maximum number of requests a day (no limit)")
    parser.add_argument(
        "--map", metavar="MAP", action="append", dest="maps",
        help="alias or path of a map that it is for; may be repeated (all maps)",
    )  # fmt: skip
    parser.add_argument(
        "--expires", metavar="DATE", help="time from which it is rejected: 2027-01-31, 2027-01-31T12:00Z, 90d (never)"
    )
    parser.add_argument("--contact", metavar="TEXT", default="", help="owner of the key, for the admin")
    parser.add_argument("--note", metavar="TEXT", default="", help="further text for the admin")
    parser.add_argument("--disabled", action="store_true", help="reject it until mapsos keys enable")
    parser.add_argument(
        "--key", metavar="HEX",
        help="take over a key of 40 hexadecimal digits that clients already have; - reads it from standard input",
    )  # fmt: skip
    return parser


def make_list_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys list``."""
    parser = _make(
        "list", "List keys: first 8 digits, rights, limit, requests today, last use. Never a key.", has_name=False
    )
    parser.add_argument("--unused", metavar="DAYS", type=count, help="only those without a request for so many days")
    return parser


def make_show_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys show``."""
    return _make("show", "Show a key, its last use, and its requests on each of the last 30 days.")


def make_disable_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys disable``."""
    return _make("disable", "Reject the requests of a key from now on.")


def make_enable_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys enable``."""
    return _make("enable", "Accept the requests of a key again.")


def make_limit_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys limit``."""
    parser = _make("limit", "Set the maximum number of requests of a key on a day of UTC.")
    parser.add_argument("per_day", metavar="N|none", type=limit, help="the maximum, or none for no limit")
    return parser


def make_rotate_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys rotate``."""
    parser = _make("rotate", "Replace a key, and print the new one alone on standard output, this one time.")
    parser.add_argument(
        "--keep", metavar="HOURS", type=hours, default=0.0, help="hours that the old key still works (0)"
    )
    return parser


def make_remove_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys remove``."""
    return _make("remove", "Remove a key and its counts.")


def make_log_parser() -> ArgumentParser:
    """Return the parser of ``mapsos keys log``."""
    parser = _make("log", "List requests that keys were accepted for, a line each, the oldest first.", has_name=False)
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the key (all keys)")
    parser.add_argument("--since", metavar="TIME", help="from this time on: 2026-11-30, 2026-11-30T08:00Z, 2h, 7d")
    parser.add_argument("--until", metavar="TIME", help="before this time")
    parser.add_argument("--last", metavar="N", type=count, help="only the newest N lines")
    parser.add_argument("--map", metavar="MAP", help="only this map, as the log names it")
    parser.add_argument("--operation", metavar="NAME", help="only this operation, such as GetObservation")
    parser.add_argument("--address", metavar="ADDRESS", help="only this client")
    parser.add_argument("--status", metavar="CODE", type=int, help="only this HTTP status")
    return parser


ACTIONS: Mapping[str, Callable[[], ArgumentParser]] = {
    "add": make_add_parser,
    "list": make_list_parser,
    "show": make_show_parser,
    "disable": make_disable_parser,
    "enable": make_enable_parser,
    "limit": make_limit_parser,
    "rotate": make_rotate_parser,
    "remove": make_remove_parser,
    "log": make_log_parser,
}
"""By action, in the order in which they are listed."""


def limit(text: str) -> int | None:
    """Parse a maximum: an integer of at least one, or ``none``. Raises ValueError."""
    return None if text.lower() == "none" else count(text)


def hours(text: str) -> float:
    """Parse a number of hours from 0 to 10 years. Raises ValueError."""
    number = float(text)
    if not 0 <= number <= 87_660:
        raise ValueError(text)
    return number

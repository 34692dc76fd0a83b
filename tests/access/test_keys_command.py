"""``mapsos keys`` as an admin runs it, on stores in both databases."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.access.keys import Key, read_digits
from mapsos.access.log_store import LogEntry, write_entries
from mapsos.access.store import KeyStore, open_store
from mapsos.command.keys.moments import read_future, read_past, show_time
from mapsos.command.parsers import ALL_PARSERS
from mapsos.terms.times import DAY, HOUR, current_time, parse_time
from tests.support.http_client import send
from tests.support.serve_command import MINIMAL, WEATHER, Server, serving

COMMAND = Path(sys.executable).parent / "mapsos"
DIGITS = re.compile("[0-9a-f]{40}")
TAKEN = "0123456789ABCDEFabcd" * 2


def run(*arguments: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an environment with few variables."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "HOME", "TMP"))}
    return subprocess.run(
        [COMMAND, "keys", *arguments], env=kept | environ, input=given, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def use(location: str, *arguments: str, code: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command on a store."""
    done = run(*arguments, given=given, MAPSOS_KEYS=location)
    assert done.returncode == code, done.stderr
    return done


def log_requests(store: KeyStore, *entries: tuple[int, str, int]) -> None:
    """Write lines of the log, each of a time, a name of a key and a status."""
    write_entries(
        store.database,
        [
            LogEntry(time, name, "192.0.2.7", "GET", "river", "GetObservation", status, 1000, 52112, 12.3)
            for time, name, status in entries
        ],
        wait=2.0,
    )


def test_a_key_is_shown_once(location: str) -> None:
    made = use(location, "add", "gauges", "--per-day", "5", "--contact", "office@example.org")
    assert DIGITS.fullmatch(made.stdout.removesuffix("\n"))
    key = made.stdout.strip()
    rotated = use(location, "rotate", "gauges").stdout.strip()
    assert DIGITS.fullmatch(rotated)
    assert rotated != key
    for arguments in (("list",), ("show", "gauges", "--json"), ("limit", "gauges", "7", "--json")):
        done = use(location, *arguments)
        assert not DIGITS.search(done.stdout + done.stderr)
    if location.startswith("/"):
        path = Path(location)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for file in path.parent.iterdir():
            content = file.read_bytes()
            for one in (key, rotated):
                assert one.encode() not in content
                assert bytes.fromhex(one) not in content


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nothing"), 1, "no key has the name nothing"),
        (("disable", "nothing"), 1, "no key has the name nothing"),
        (("enable", "nothing"), 1, "no key has the name nothing"),
        (("limit", "nothing", "5"), 1, "no key has the name nothing"),
        (("rotate", "nothing"), 1, "no key has the name nothing"),
        (("remove", "nothing"), 1, "no key has the name nothing"),
        (("log", "nothing"), 1, "no key has the name nothing"),
        (("add", "gauges"), 2, "a key of the name gauges exists"),
        (("add", "-x"), 2, "the following arguments are required: NAME"),
        (("add", "a\tb"), 2, "expected a name"),
        (("add", "n", "--per-day", "0"), 2, "--per-day"),
        (("add", "n", "--expires", "soon"), 2, "expected a time such as 2027-01-31 or 90d after --expires"),
        (("add", "n", "--expires", "2020-01-01"), 2, "is in the past"),
        (("add", "n", "--expires", "999999w"), 2, "expected a time within 100 years"),
        (("add", "n", "--key", "12"), 2, "expected a key of 40 hexadecimal digits"),
        (("limit", "gauges", "0"), 2, "N|none"),
        (("rotate", "gauges", "--keep", "-1"), 2, "--keep"),
        (("log", "--since", "soon"), 2, "expected a time such as 2026-11-30T08:00Z or 2h after --since"),
        (("list", "--unsed", "3"), 2, "unknown option --unsed. Did you mean --unused?"),
        (("rotat", "gauges"), 2, "unknown action: keys rotat. Did you mean rotate?"),
        (("zzz",), 2, "Known: add, list"),
        ((), 2, "actions:"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_codes_and_messages(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    tmp_path.chmod(0o700)
    store = open_store(str(tmp_path / "keys.db"))
    store.create()
    digits = store.add(Key("gauges", ""))
    done = use(str(tmp_path / "keys.db"), *arguments, code=code)
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert store.show("gauges", 0).starts == digits[:8]


@pytest.mark.parametrize("from_input", [False, True])
def test_a_key_of_an_old_gateway_is_taken_over(location: str, from_input: bool) -> None:
    given = "-" if from_input else TAKEN
    done = use(location, "add", "old", "--key", given, given=f"{TAKEN}\n" if from_input else "")
    assert (done.stdout, done.stderr) == ("", "")
    store = open_store(location)
    secret = read_digits(TAKEN)
    assert secret is not None
    found = store.find(secret, current_time())
    store.database.close()
    assert found is not None
    assert found.name == "old"
    again = use(location, "add", "other", "--key", TAKEN, code=2)
    assert "another key has these digits" in again.stderr
    assert TAKEN.lower() not in again.stderr.lower()


def test_what_add_is_told(location: str, tmp_path: Path) -> None:
    (tmp_path / "river.map").touch()
    made = json.loads(
        use(
            location, "add", "office", "--write", "--admin", "--per-day", "7", "--map", str(tmp_path / "river.map"),
            "--map", "lake", "--expires", "90d", "--contact", "a@b", "--note", "second floor", "--disabled", "--json",
        ).stdout
    )  # fmt: skip
    assert DIGITS.fullmatch(made["key"])
    shown = json.loads(use(location, "show", "office", "--json").stdout)
    assert "key" not in shown
    assert shown["days"] == [{"day": day["day"], "requests": 0} for day in shown["days"]]
    assert len(shown.pop("days")) == 30
    assert {name: value for name, value in made.items() if name != "key"} == shown
    assert shown["rights"] == ["read", "write", "admin"]
    assert shown["maps"] == [str(tmp_path / "river.map"), "lake"]
    assert (shown["per_day"], shown["state"], shown["today"], shown["used"]) == (7, "disabled", 0, None)
    assert (shown["contact"], shown["note"], shown["starts"]) == ("a@b", "second floor", made["key"][:8])
    ends = parse_time(shown["expires"]).begin
    assert abs(ends - parse_time(shown["created"]).begin - 90 * DAY) < HOUR
    text = use(location, "show", "office").stdout
    assert f"maps      {tmp_path}/river.map, lake\n" in text
    assert re.search(r"^expires   [0-9-]{10} [0-9:]{8} UTC$", text, re.M)


def test_a_list(location: str) -> None:
    now = current_time()
    store = open_store(location)
    store.create()
    for key in (
        Key("busy", "", created=now - 200 * DAY),
        Key("asleep", "", created=now - 200 * DAY),
        Key("never", "", created=now - 200 * DAY),
        Key("new", "", created=now, expires=now + 1, per_day=9),
    ):
        store.add(key)
    log_requests(store, (now, "busy", 200), (now - 100 * DAY, "asleep", 200))
    assert store.count("busy", None, now)
    store.database.close()
    lines = use(location, "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "asleep", "busy", "never", "new"]
    assert re.fullmatch(
        r"busy    [0-9a-f]{8}\.\.\.  active   read    no limit      1  [0-9-]{10} [0-9:]{8} UTC  never  +all", lines[2]
    )
    assert lines[4].split()[2:6] == ["expired", "read", "9", "0"]
    unused = json.loads(use(location, "list", "--unused", "90", "--json").stdout)
    assert [key["name"] for key in unused] == ["asleep", "never"]
    none = use(location, "list", "--unused", "300")
    assert (none.stdout, none.stderr) == ("", "mapsos keys list: none found\n")


def test_a_key_is_changed(location: str) -> None:
    use(location, "add", "gauges")
    assert use(location, "disable", "gauges").stdout == "gauges is disabled.\n"
    assert json.loads(use(location, "show", "gauges", "--json").stdout)["state"] == "disabled"
    assert use(location, "enable", "gauges").stdout == "gauges is enabled.\n"
    assert use(location, "limit", "gauges", "12").stdout == "gauges has a limit of 12 requests a day.\n"
    assert json.loads(use(location, "list", "--json").stdout)[0]["per_day"] == 12
    assert json.loads(use(location, "limit", "gauges", "none", "--json").stdout)["per_day"] is None
    assert use(location, "remove", "gauges").stdout == "gauges is removed.\n"
    assert use(location, "show", "gauges", code=1).stdout == ""


@pytest.mark.parametrize(("keep", "works"), [((), False), (("--keep", "48"), True)])
def test_an_old_key_can_go_on(location: str, keep: tuple[str, ...], works: bool) -> None:
    old = use(location, "add", "gauges").stdout.strip()
    done = use(location, "rotate", "gauges", *keep)
    new = done.stdout.strip()
    store = open_store(location)
    now = current_time()
    secrets = [read_digits(key) for key in (old, new)]
    found = [secret is not None and store.find(secret, now) is not None for secret in secrets]
    later = secrets[0] is not None and store.find(secrets[0], now + 49 * HOUR)
    store.database.close()
    assert found == [works, True]
    assert not later
    assert (f"The old key {old[:8]}... works until" in done.stderr) == works
    assert (f"old key {old[:8]}...  works until" in use(location, "show", "gauges").stdout) == works


def test_the_log(location: str) -> None:
    store = open_store(location)
    store.create()
    store.add(Key("gauges", ""))
    now = current_time()
    log_requests(store, (now - 3 * DAY, "gone", 200), (now - 3 * HOUR, "gauges", 429), (now - HOUR, "gauges", 200))
    store.database.close()
    head, first, *others = use(location, "log").stdout.splitlines()
    assert head.split() == [
        "time", "(UTC)", "key", "address", "method", "map", "operation", "status", "rows", "bytes", "ms"
    ]  # fmt: skip
    assert re.fullmatch(r"[0-9-]{10} [0-9:]{8}\.[0-9]{3}  gone .*", first)
    assert first.split()[3:] == ["192.0.2.7", "GET", "river", "GetObservation", "200", "1000", "52112", "12.3"]
    assert len(others) == 2

    def count(*arguments: str) -> list[str]:
        return [json.loads(line)["name"] for line in use(location, "log", "--json", *arguments).stdout.splitlines()]

    assert count() == ["gone", "gauges", "gauges"]
    # The lines of a key that was removed stay.
    assert count("gone") == ["gone"]
    assert count("gauges", "--since", "2h") == ["gauges"]
    assert count("--until", "2d") == ["gone"]
    assert count("--since", show_time(now - HOUR)[:19]) == ["gauges"]
    assert count("--status", "429") == ["gauges"]
    assert count("--last", "2") == ["gauges", "gauges"]
    assert count("--map", "lake") == count("--operation", "GetCapabilities") == count("--address", "::1") == []


def test_the_log_streams(tmp_path: Path) -> None:
    """A reader that has seen enough ends the command, which has not read everything first."""
    tmp_path.chmod(0o700)
    store = open_store(str(tmp_path / "keys.db"))
    store.create()
    log_requests(store, *((index, "gauges", 200) for index in range(50_000)))
    store.database.close()
    with subprocess.Popen(
        [COMMAND, "keys", "log", "--keys", tmp_path / "keys.db"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("time (UTC)")
        process.stdout.close()
        assert process.wait(60) == 141


@pytest.mark.slow
def test_a_server_obeys_from_the_next_request_on(tmp_path: Path) -> None:
    """In each of its processes, and the log has what it answered."""
    tmp_path.chmod(0o700)
    location = str(tmp_path / "keys.db")
    key = use(location, "add", "gauges", "--map", "weather").stdout.strip()
    query = "service=SOS&version=1.0.0&request=GetObservation&offering=daily&observedProperty=wind_speed"
    path = f"/weather?{query}&responseFormat=text/csv"

    def ask(server: Server, key: str, times: int = 6) -> set[int]:
        return {send(server.port, path, headers={"X-Api-Key": key}).status for _ in range(times)}

    with serving("--workers", "2", WEATHER, MINIMAL, lines=1, MAPSOS_KEYS=location) as server:
        assert ask(server, key) == {200}
        use(location, "disable", "gauges")
        assert ask(server, key) == {403}
        use(location, "enable", "gauges")
        reply = send(server.port, path, headers={"X-Api-Key": key})
        assert send(server.port, f"/minimal?{query}", headers={"X-Api-Key": key}).status == 401
        new = use(location, "rotate", "gauges", "--keep", "1").stdout.strip()
        assert ask(server, key) == ask(server, new) == {200}
        use(location, "limit", "gauges", "20")
        assert ask(server, new) == {200, 429}
        use(location, "remove", "gauges")
        assert ask(server, new, 2) == {401}
    lines = [json.loads(line) for line in use(location, "log", "gauges", "--json").stdout.splitlines()]
    assert len(lines) == 20
    rows = len(reply.text.splitlines()) - 1
    assert rows > 1000
    for line in lines:
        assert (line["operation"], line["status"], line["map"], line["method"]) == (
            "GetObservation", 200, "weather", "GET"
        )  # fmt: skip
        assert (line["rows"], line["bytes"], line["address"]) == (rows, len(reply.text.encode()), "127.0.0.1")
        assert line["ms"] > 0


def test_what_a_client_sent_moves_no_cursor(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    location = str(tmp_path / "keys.db")
    store = open_store(location)
    store.create()
    entry = LogEntry(0, "n", "\x1b[2J", "G\x07", "m", "op", 200, 0, 0, 0.0)
    write_entries(store.database, [entry], wait=2.0)
    store.database.close()
    shown = use(location, "log").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert json.loads(use(location, "log", "--json").stdout)["address"] == "\x1b[2J"


def test_the_store_is_named_by_option_variable_or_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "keys.db"
    conf = tmp_path / "mapsos.conf"
    conf.write_text(f'CONFIG\n  ENV\n    MAPSOS_KEYS "{path}"\n  END\nEND\n')
    assert run("add", "one", "--keys", os.path.relpath(path)).returncode == 0
    for arguments, environ in (
        (("--conf", str(conf)), {}),
        ((), {"MAPSERVER_CONFIG_FILE": str(conf)}),
        ((), {"MAPSOS_KEYS": str(path)}),
        (("--keys", str(path)), {"MAPSOS_KEYS": "/nowhere"}),
    ):
        done = run("list", *arguments, **environ)
        assert done.stdout.splitlines()[1].startswith("one "), done.stderr
    for environ in ({}, {"MAPSOS_KEYS": "off"}):
        done = run("list", **environ)
        assert (done.returncode, done.stdout) == (2, "")
        assert "set MAPSOS_KEYS, or use --keys" in done.stderr


@pytest.mark.parametrize("action", [("list",), ("show", "n"), ("disable", "n"), ("log",)], ids=" ".join)
def test_a_store_that_is_missing_is_not_made(tmp_path: Path, action: tuple[str, ...]) -> None:
    tmp_path.chmod(0o700)
    done = use(str(tmp_path / "keys.db"), *action, code=2)
    assert "mapsos keys add makes the store" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_store_is_made_where_others_could_replace_it(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    done = use(str(tmp_path / "open" / "keys.db"), "add", "n", code=2)
    assert "its folder must belong to user" in done.stderr
    assert done.stdout == ""
    assert list((tmp_path / "open").iterdir()) == []
    lost = use(str(tmp_path / "lost" / "keys.db"), "add", "n", code=2)
    assert "No such file or directory" in lost.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")
def test_root_leaves_the_store_to_the_user_of_the_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 65534, 65534)
    location = str(tmp_path / "keys.db")
    use(location, "add", "n")
    # While a connection is open, the files of the journal are there.
    store = open_store(location)
    with store.database.connect() as connection:
        connection.run("SELECT 1 FROM mapsos_keys")
        use(location, "limit", "n", "3")
        assert {file.name: file.stat().st_uid for file in tmp_path.iterdir()} == dict.fromkeys(
            ("keys.db", "keys.db-wal", "keys.db-shm"), 65534
        )
    store.database.close()


@pytest.mark.parametrize("name", [name for name in ALL_PARSERS if name.startswith("keys")])
def test_help_has_an_example(name: str) -> None:
    done = run(*name.split()[1:], "--help")
    assert done.returncode == 0
    assert "example" in done.stdout
    assert re.search(rf"^  mapsos {name}", done.stdout, re.M)


def test_help_and_other_commands_load_no_store() -> None:
    script = (
        "import sys; from mapsos.command.cli import main; main(['keys', 'add', '--help']);"
        "print(sorted({'mapsos.access.store', 'sqlite3', 'psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("text", "past", "future"),
    [
        ("90m", -5400, 5400), ("2h", -7200, 7200), ("7d", -7 * 86400, 7 * 86400), ("1w", -7 * 86400, 7 * 86400),
        ("now", 0, 0),
    ],
)  # fmt: skip
def test_spans(text: str, past: int, future: int) -> None:
    now = 1_000_000 * DAY // 1000
    assert read_past(text, now) - now == past * 1_000_000
    assert read_future(text, now) - now == future * 1_000_000


@pytest.mark.parametrize("text", ["", "2", "2y", "-2h", "2026-13-01", "1234567d"])
def test_texts_that_are_no_times(text: str) -> None:
    for read in (read_past, read_future):
        with pytest.raises(ValueError):  # noqa: PT011
            read(text, 0)

"""The contract of a store of keys, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest

from mapsos.access.databases.database import StoreError
from mapsos.access.keys import (
    Key,
    KeyExistsError,
    KeyMissingError,
    KeysError,
    Secret,
    make_digits,
    read_digits,
)
from mapsos.access.log_store import LogEntry, LogFilter, read_entries, sweep, write_entries
from mapsos.access.store import KeyStore, open_store
from mapsos.terms.times import DAY, HOUR

NOW = 20_000 * DAY + 5_000_000


def secret_of(digits: str) -> Secret:
    secret = read_digits(digits)
    assert secret is not None
    return secret


def test_digits_are_random_and_only_their_hash_is_in_the_secret() -> None:
    first, second = make_digits(), make_digits()
    assert first != second
    assert len(first) == 40
    secret = secret_of(first)
    assert secret == Secret(hashlib.sha256(bytes.fromhex(first)).hexdigest(), first[:8])
    assert read_digits(first.upper()) == secret
    for wrong in ("", first[:-1], first + "0", first[:-1] + "g", f" {first}", first + "\n", "٣" * 40):
        assert read_digits(wrong) is None


def test_a_key_is_found_by_its_digits_with_all_that_it_allows(store: KeyStore) -> None:
    key = Key(
        "Water board", "", contact="ann@example.org", note="since the flood", created=NOW, expires=NOW + HOUR,
        may_write=True, may_admin=True, per_day=5, maps=("Ströme", "/maps/a b.map"),
    )  # fmt: skip
    digits = store.add(key)
    found = store.find(secret_of(digits), NOW)
    assert found == replace(key, starts=digits[:8])
    assert found.rights == ("read", "write", "admin")
    assert not found.is_expired(NOW)
    assert found.is_expired(NOW + HOUR)
    assert store.show("Water board", NOW) == found
    assert store.list_keys(NOW) == [(found, 0)]
    assert store.find(secret_of(make_digits()), NOW) is None


def test_digits_of_an_old_gateway_are_taken_over(store: KeyStore) -> None:
    digits = make_digits()
    assert store.add(Key("old", ""), digits.upper()) == digits
    assert store.find(secret_of(digits), NOW) == Key("old", digits[:8])
    with pytest.raises(KeyExistsError, match="another key has these digits"):
        store.add(Key("new", ""), digits)
    assert [key.name for key, _ in store.list_keys(NOW)] == ["old"]
    for wrong in ("", digits[:-1], f"{digits}0"):
        with pytest.raises(KeysError, match="40 hexadecimal digits"):
            store.add(Key("new", ""), wrong)


def test_names_are_unique_and_printable(store: KeyStore) -> None:
    store.add(Key("a", ""))
    with pytest.raises(KeyExistsError):
        store.add(Key("a", ""))
    for name in ("", "-a", " a", "a ", "a\nb", "a" * 65, "'; DROP TABLE mapsos_keys;--", "a\0"):
        with pytest.raises(KeysError, match="expected a name"):
            store.add(Key(name, ""))
    with pytest.raises(KeysError, match="at least 1"):
        store.add(Key("b", "", per_day=0))
    assert [key.name for key, _ in store.list_keys(NOW)] == ["a"]


def test_changes_count_from_the_next_look_on(store: KeyStore) -> None:
    digits = store.add(Key("a", ""))
    secret = secret_of(digits)
    store.set_active("a", False)
    assert (found := store.find(secret, NOW)) is not None
    assert not found.active
    store.set_active("a", True)
    store.limit("a", 7)
    assert store.find(secret, NOW) == Key("a", digits[:8], per_day=7)
    store.limit("a", None)
    assert store.find(secret, NOW) == Key("a", digits[:8])
    with pytest.raises(KeysError, match="at least 1"):
        store.limit("a", 0)


def test_a_rotated_key_works_as_long_as_it_is_kept(store: KeyStore) -> None:
    old = store.add(Key("a", "", per_day=3))
    assert store.count("a", 3, NOW)
    new = store.rotate("a", NOW, keep_hours=1.5)
    assert new != old
    assert store.find(secret_of(new), NOW) == Key("a", new[:8], per_day=3)
    assert store.find(secret_of(old), NOW) is not None
    until = NOW + round(1.5 * HOUR)
    assert store.show("a", NOW).retiring == ((old[:8], until),)
    assert store.list_keys(NOW) == [(store.show("a", NOW), 1)]
    assert store.find(secret_of(old), until) is None
    newest = store.rotate("a", NOW)
    assert store.find(secret_of(new), NOW) is None
    assert store.find(secret_of(newest), NOW) is not None
    with pytest.raises(KeysError):
        store.rotate("a", NOW, digits="abc")
    with pytest.raises(KeysError):
        store.rotate("a", NOW, keep_hours=-1)
    other = store.add(Key("b", ""))
    with pytest.raises(KeyExistsError):
        store.rotate("a", NOW, digits=other)
    assert store.find(secret_of(newest), NOW) is not None, "a failed rotation changes nothing"


def test_a_removed_key_is_unknown_and_its_log_stays(store: KeyStore) -> None:
    secret = secret_of(store.add(Key("a", "")))
    store.count("a", None, NOW)
    write_entries(store.database, [entry(NOW, "a")], wait=1)
    store.remove("a")
    assert store.find(secret, NOW) is None
    assert store.list_keys(NOW) == []
    assert [line.name for line in read_entries(store.database)] == ["a"]
    store.add(Key("a", ""))
    assert store.list_keys(NOW)[0][1] == 0


def test_a_name_that_is_missing_is_an_error(store: KeyStore) -> None:
    for change in (
        lambda: store.show("x", NOW),
        lambda: store.set_active("x", True),
        lambda: store.limit("x", 1),
        lambda: store.rotate("x", NOW),
        lambda: store.remove("x"),
        lambda: store.count_days(NOW, "x"),
    ):
        with pytest.raises(KeyMissingError, match="no key has the name x"):
            change()


def test_counts_end_at_the_maximum_and_begin_anew_each_day(store: KeyStore) -> None:
    store.add(Key("a", ""))
    store.add(Key("b", ""))
    assert [store.count("a", 2, NOW) for _ in range(4)] == [True, True, False, False]
    assert store.count("b", 1, NOW)
    store.count_back("a", NOW)
    assert [store.count("a", 2, NOW) for _ in range(2)] == [True, False]
    assert store.count("a", 2, NOW + DAY)
    assert not store.count("a", 0, NOW + DAY)
    assert all(store.count("a", None, NOW) for _ in range(5))
    later = NOW + DAY
    assert store.count_days(later) == {"a": (0,) * 28 + (7, 1), "b": (0,) * 28 + (1, 0)}
    assert store.count_days(later, "b", 1) == {"b": (0,)}
    assert store.count_days(later + 28 * DAY, "a")["a"] == (7, 1, *(0,) * 28)


def test_wrong_keys_are_counted_by_address_and_minute(store: KeyStore) -> None:
    assert [store.count_failure("192.0.2.1", NOW) for _ in range(3)] == [1, 2, 3]
    assert store.count_failure("192.0.2.2", NOW) == 1
    assert store.count_failure("192.0.2.1", NOW + 60_000_000) == 1


def entry(time: int, name: str, **more: object) -> LogEntry:
    line = LogEntry(time, name, "192.0.2.1", "GET", "water", "GetObservation", 200, 3, 400, 1.5)
    return replace(line, **more)  # type: ignore[arg-type]


def test_the_log_is_read_with_filters(store: KeyStore) -> None:
    store.add(Key("a", ""))
    store.add(Key("b", ""))
    lines = [
        entry(NOW, "a"),
        entry(NOW + 1, "b", address="2001:db8::1", status=429),
        entry(NOW + 2, "a", map="", operation="", rows=2**40, bytes=2**50),
        entry(NOW + 3, "a", operation="GetCapabilities", ms=0.25),
    ]
    write_entries(store.database, lines[:3], wait=1)
    write_entries(store.database, lines[3:], wait=1)

    def read(**wanted: object) -> list[LogEntry]:
        return list(read_entries(store.database, LogFilter(**wanted)))  # type: ignore[arg-type]

    assert read() == lines
    assert read(name="a") == [lines[0], lines[2], lines[3]]
    assert read(since=NOW + 1, until=NOW + 3) == lines[1:3]
    assert read(last=2) == lines[2:]
    assert read(name="a", last=1) == lines[3:]
    assert read(map="water", operation="GetCapabilities") == lines[3:]
    assert read(address="2001:db8::1") == read(status=429) == [lines[1]]
    assert (store.show("a", NOW).used, store.show("a", NOW).used_from) == (NOW + 3, "192.0.2.1")
    assert store.show("b", NOW).used_from == "2001:db8::1"
    # A batch that comes late does not set the last use back.
    write_entries(store.database, [entry(NOW - 5, "a", address="late")], wait=1)
    assert store.show("a", NOW).used == NOW + 3


def test_old_lines_are_removed_once_an_hour(store: KeyStore) -> None:
    day = DAY
    write_entries(store.database, [entry(NOW - 91 * day, "a"), entry(NOW - 89 * day, "a"), entry(NOW, "a")], wait=1)
    assert sweep(store.database, NOW, 90, wait=1)
    assert [line.time for line in read_entries(store.database)] == [NOW - 89 * day, NOW]
    assert not sweep(store.database, NOW + HOUR - 1, 1, wait=1)
    assert sweep(store.database, NOW + HOUR, 1, wait=1)
    assert [line.time for line in read_entries(store.database)] == [NOW]


def test_a_reader_of_the_log_that_stops_early_returns_its_connection(store: KeyStore) -> None:
    write_entries(store.database, [entry(NOW + i, "a") for i in range(2000)], wait=1)
    lines = read_entries(store.database)
    assert next(lines).time == NOW
    lines.close()  # type: ignore[attr-defined]
    write_entries(store.database, [entry(NOW, "a")], wait=0.5)
    assert sum(1 for _ in read_entries(store.database)) == 2001


COUNT = """
import sys
from mapsos.access.store import open_store
store = open_store(sys.argv[1])
print(sum(store.count("a", 250, int(sys.argv[2])) for _ in range(50)))
"""


def test_eight_processes_count_exactly(store: KeyStore, location: str) -> None:
    store.add(Key("a", ""))
    command = [sys.executable, "-c", COUNT, location, str(NOW)]
    counting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    outputs = [process.communicate(timeout=60)[0] for process in counting]
    assert [process.returncode for process in counting] == [0] * 8
    assert sum(map(int, outputs)) == 250
    assert store.count_days(NOW, "a")["a"][-1] == 250


def test_creating_twice_changes_nothing(store: KeyStore, location: str) -> None:
    store.add(Key("a", ""))
    again = open_store(location)
    again.create()
    again.database.close()
    assert [key.name for key, _ in store.list_keys(NOW)] == ["a"]


def test_a_store_that_is_missing_is_an_error_and_is_not_created(location: str) -> None:
    store = open_store(location)
    with pytest.raises(StoreError) as raised:
        store.find(secret_of(make_digits()), NOW)
    assert raised.value.reason == "missing"
    with pytest.raises(StoreError):
        store.count("a", None, NOW)
    store.database.close()

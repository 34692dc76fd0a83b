"""``mapsos check``: what goes to which stream, on a terminal and elsewhere, and the formats for programs."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mapsos.check import report
from mapsos.check.codes import NO_TIME_COLUMN, NOT_RECOMMENDED, RULES, SCHEMA_NOT_APPLIED, UNREADABLE_FILE
from mapsos.check.failures import write_failure
from mapsos.check.finding import Finding
from mapsos.check.formats import write_annotation, write_json, write_line, write_sarif, write_summary
from mapsos.check.report import Progress, run
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.reader import parse_map

from .conftest import BASE, Spoil

FINDINGS = [
    Finding("/somewhere/a b.map", 0, UNREADABLE_FILE, "mapfile", "cannot be read"),
    Finding(os.path.abspath("ü,:%.map"), 3, NO_TIME_COLUMN, "sos_timeitem", "100 % wrong,\nbe:cause \r ::error::"),
    Finding(os.path.abspath("a.map"), 4, NOT_RECOMMENDED, "sos_title", "missing"),
    Finding(os.path.abspath("a.map"), 5, SCHEMA_NOT_APPLIED, "SYMBOL", "not checked"),
]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_line_ends_with_its_code() -> None:
    assert write_line(FINDINGS[2]) == "a.map:4: warning: sos_title: missing [M208]"
    assert write_line(FINDINGS[0]) == "/somewhere/a b.map: error: mapfile: cannot be read [M101]"
    assert "\n" not in write_line(FINDINGS[1])


def test_json_has_the_code() -> None:
    first = json.loads(write_json(FINDINGS))[0]
    assert first == {
        "file": "/somewhere/a b.map", "line": 0, "level": "error", "code": "M101", "key": "mapfile",
        "message": "cannot be read",
    }  # fmt: skip


def test_annotations_of_github_are_escaped() -> None:
    assert [write_annotation(finding) for finding in FINDINGS] == [
        "::error file=/somewhere/a b.map,title=M101::mapfile: cannot be read",
        "::error file=ü%2C%3A%25.map,line=3,title=M501::sos_timeitem: 100 %25 wrong,%0Abe:cause %0D ::error::",
        "::warning file=a.map,line=4,title=M208::sos_title: missing",
        "::notice file=a.map,line=5,title=M904::SYMBOL: not checked",
    ]


def test_sarif_has_the_members_of_its_schema() -> None:
    log = json.loads(write_sarif([*FINDINGS, FINDINGS[2]]))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    driver = one["tool"]["driver"]
    assert (driver["name"], bool(driver["version"])) == ("mapsos check", True)
    rules = driver["rules"]
    assert [rule["id"] for rule in rules] == ["M101", "M208", "M501", "M904"]
    for rule in rules:
        assert set(rule) == {"id", "shortDescription", "helpUri", "defaultConfiguration"}
        document, _, anchor = rule["helpUri"].partition("#")
        headings = re.findall(r"^### (\w+)$", (Path(__file__).parents[2] / document).read_text("utf-8"), re.M)
        assert anchor in [heading.lower() for heading in headings]
    levels = ["error", "error", "warning", "note", "warning"]
    assert [result["level"] for result in one["results"]] == levels
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert set(result["message"]) == {"text"}
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert re.fullmatch(r"(file:///)?[\w%./-]+", place["artifactLocation"]["uri"])
        assert "region" not in place or place["region"]["startLine"] >= 1
    assert json.loads(write_sarif([]))["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [((), "no findings"), ((0,), "1 error"), ((0, 1, 2, 2, 2), "2 errors, 3 warnings"), ((3,), "1 info")],
)
def test_the_summary(numbers: tuple[int, ...], expected: str) -> None:
    assert write_summary("a.map", [FINDINGS[number] for number in numbers]) == f"a.map: {expected}"


def check(spoil: Spoil, form: Any = "text", **options: Any) -> tuple[str, str]:
    spoil({"sos_title": "sos_titel"})
    out, log = options.pop("out", io.StringIO()), options.pop("log", io.StringIO())
    run(["test.map"], form=form, out=out, log=log, **options)
    return out.getvalue(), log.getvalue()


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_the_summary_goes_to_the_log_unless_quiet(spoil: Spoil, form: str) -> None:
    out, log = check(spoil, form)
    assert log == "test.map: 2 warnings\n"
    assert "M215" in out
    assert check(spoil, form, quiet=True) == (out, "")


def test_colour_is_for_terminals_that_want_it(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    plain, _ = check(spoil)
    coloured, _ = check(spoil, out=Terminal())
    assert "\x1b[" not in plain
    assert "\x1b[1;33mwarning\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert check(spoil, out=Terminal())[0] == plain
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert check(spoil, out=Terminal())[0] == plain


def test_progress_is_shown_after_a_while_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_PATIENCE", 0.0)
    terminal = Terminal()
    progress = Progress(terminal)
    with progress.shown():
        progress("times of layer levels", 0.5)
        deadline = time.monotonic() + 10
        while "times of" not in terminal.getvalue() and time.monotonic() < deadline:
            os.sched_yield()
    shown = terminal.getvalue()
    assert "[##########..........]  50%" in shown
    assert shown.endswith("\r\x1b[K")


def test_a_quick_check_shows_no_progress(spoil: Spoil) -> None:
    assert check(spoil, log=Terminal())[1] == "test.map: 2 warnings\n"


def test_data_are_read_in_steps_that_never_go_back(spoil: Spoil, folder: Path) -> None:
    from mapsos.check.data import find_in_data

    spoil({})
    steps: list[tuple[str, float]] = []
    find_in_data(parse_map("test.map"), 0, lambda what, share: steps.append((what, share)))
    assert [what for what, _ in steps] == [
        f"{what} of layer levels" for what in ("columns", "positions", "times", "procedures")
    ]
    shares = [share for _, share in steps]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] < 1


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_closed_pipe_is_no_traceback(spoil: Spoil, folder: Path, form: str) -> None:
    text = BASE.replace('      "sos_level_alias"', '      "sos_bogus" "x"\n' * 3000 + '      "sos_level_alias"')
    (folder / "test.map").write_text(text, encoding="utf-8")
    command = f"{sys.executable} -m mapsos check --format {form} test.map | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert len(done.stdout) == 1


def test_a_real_terminal_has_colours(spoil: Spoil) -> None:
    spoil({"sos_title": "sos_titel"})
    main, other = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    done = subprocess.run(
        [sys.executable, "-m", "mapsos", "check", "test.map"], stdout=other, stderr=subprocess.PIPE, env=environment,
        timeout=60, check=False,
    )  # fmt: skip
    os.close(other)
    shown = os.read(main, 100_000).decode()
    os.close(main)
    assert done.returncode == 0
    assert "\x1b[1;33mwarning" in shown
    assert done.stderr == b"test.map: 2 warnings\n"


def test_the_line_about_a_map_that_cannot_be_served(spoil: Spoil) -> None:
    findings, _ = spoil({"    STATUS ON\n": "    FILTER ([level] * 2 > 5)\n"})
    with pytest.raises(MapfileError) as caught:
        parse_map("test.map")
    line = write_failure(caught.value)
    assert line == write_line(findings[0])
    assert re.fullmatch(r"test\.map:17: error: \S+: .+ \[M407\]", line)


def test_every_level_has_a_form() -> None:
    for rule in RULES:
        finding = Finding("/a.map", 1, rule, "key", "message")
        assert write_annotation(finding).startswith(("::error ", "::warning ", "::notice "))
        assert json.loads(write_sarif([finding]))["runs"][0]["results"][0]["ruleId"] == rule.code

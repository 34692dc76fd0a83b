"""Write findings as lines for people, as JSON, as annotations of GitHub, and as SARIF 2.1.0."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from mapsos import __version__
from mapsos.check.codes import RULES
from mapsos.check.finding import Finding, FindingLevel

Format: TypeAlias = Literal["text", "json", "github", "sarif"]
FORMATS: tuple[Format, ...] = get_args(Format)

_COLOURS: Mapping[FindingLevel, str] = {"error": "1;31", "warning": "1;33", "info": "1;36"}
_ANNOTATIONS: Mapping[FindingLevel, str] = {"error": "error", "warning": "warning", "info": "notice"}
_SARIF_LEVELS: Mapping[FindingLevel, str] = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_DOCUMENT = "docs/findings.md"


def write_line(finding: Finding, *, colour: bool = False) -> str:
    """Return a finding as one line: ``file:line: level: key: message [code]``.

    The file is relative to the working directory, if it is below that. With ``colour``, the level and the place stand
    out on a terminal.
    """
    file = _shorten(finding.file)
    where = f"{file}:{finding.line}" if finding.line else file
    level: str = finding.level
    if colour:
        where, level = f"\x1b[1m{where}\x1b[0m", f"\x1b[{_COLOURS[finding.level]}m{level}\x1b[0m"
    return " ".join(f"{where}: {level}: {finding.key}: {finding.message} [{finding.code}]".split(None))


def write_summary(path: str, findings: Sequence[Finding]) -> str:
    """Return how many findings a mapfile has: ``gauges.map: 1 error, 3 warnings``."""
    counts = {level: sum(finding.level == level for finding in findings) for level in _COLOURS}
    parts = [f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items() if count]
    return f"{' '.join(_shorten(os.path.abspath(path)).split())}: {', '.join(parts) or 'no findings'}"


def write_json(findings: Sequence[Finding]) -> str:
    """Return findings as a JSON array of objects, with absolute paths."""
    shown = [
        {
            "file": finding.file,
            "line": finding.line,
            "level": finding.level,
            "code": finding.code,
            "key": finding.key,
            "message": finding.message,
        }
        for finding in findings
    ]
    return json.dumps(shown, indent=2)


def write_annotation(finding: Finding) -> str:
    """Return a finding as a command of GitHub Actions, which shows it beside the line of the file."""
    properties = {"file": _shorten(finding.file), "line": str(finding.line or ""), "title": finding.code}
    stated = ",".join(f"{name}={_escape_property(text)}" for name, text in properties.items() if text)
    return f"::{_ANNOTATIONS[finding.level]} {stated}::{_escape(f'{finding.key}: {finding.message}')}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def write_sarif(findings: Sequence[Finding]) -> str:
    """Return findings as a log of SARIF 2.1.0, with the rules that they break."""
    used = {finding.rule for finding in findings}
    rules = [rule for rule in RULES if rule in used]
    places = {rule.code: place for place, rule in enumerate(rules)}
    driver = {
        "name": "mapsos check",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule.code,
                "shortDescription": {"text": rule.title},
                "helpUri": f"{_DOCUMENT}#{rule.code.lower()}",
                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.level]},
            }
            for rule in rules
        ],
    }
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": places[finding.code],
            "level": _SARIF_LEVELS[finding.level],
            "message": {"text": f"{finding.key}: {finding.message}"},
            "locations": [{"physicalLocation": _write_location(finding)}],
        }
        for finding in findings
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _write_location(finding: Finding) -> dict[str, Any]:
    file = _shorten(finding.file)
    path = quote(os.fsencode(file))
    location: dict[str, Any] = {"artifactLocation": {"uri": f"file://{path}" if os.path.isabs(file) else path}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return location


def _shorten(file: str) -> str:
    """Return a path relative to the working directory, if it is below that."""
    try:
        near = os.path.relpath(file)
    except FileNotFoundError:
        # The working directory was removed.
        near = os.pardir
    return file if near.startswith(os.pardir) else near

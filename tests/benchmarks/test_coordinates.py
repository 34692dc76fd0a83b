from __future__ import annotations

import pytest

from benchmarks import coordinates


def test_it_tells_what_each_way_costs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(coordinates, "LINES", 20)
    coordinates.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert all(line.endswith(" ns") and float(line.split()[-2]) > 0 for line in lines)

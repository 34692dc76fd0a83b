from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from mapsos.encodings import spool as spool_module
from mapsos.encodings.spool import Spool
from tests.support.open_files import count_open


@pytest.mark.parametrize("memory", [0, 10, 500, 1 << 20])
def test_groups_grow_side_by_side(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "READ_BYTES", 7)
    chance = random.Random(3)
    expected = [b""] * 5
    with Spool(memory) as spool:
        for group in range(5):
            assert spool.add_group() == group
        for number in range(300):
            group = chance.randrange(4)
            piece = str(number).encode() * chance.randrange(3)
            expected[group] += piece
            spool.append(group, piece)
        assert [b"".join(spool.read(group)) for group in range(5)] == expected
        assert len(spool) == 5
        assert bool(spool.in_file) == (memory < 1 << 20)
        assert list(spool.read(4)) == []


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool(4) as spool:
        spool.append(spool.add_group(), b"more than four")
        assert spool.in_file == 14
        assert list(tmp_path.iterdir()) == []
        assert count_open(tmp_path) == 1
    assert count_open(tmp_path) == 0


def test_a_file_cut_short_is_an_error() -> None:
    with Spool(4) as spool:
        spool.append(spool.add_group(), b"more than four")
        assert spool._file is not None
        os.ftruncate(spool._file, 5)
        with pytest.raises(OSError, match="shorter"):
            list(spool.read(0))

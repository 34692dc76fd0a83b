from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service

from .conftest import WEB, MapWriter


def test_a_service_is_read_once_until_a_file_changes(write_map: MapWriter, tmp_path: Path) -> None:
    (tmp_path / "more.inc").write_text('"sos_title" "one"')
    path = write_map(web=WEB + '\nINCLUDE "more.inc"\n')
    catalog = ServiceCatalog(Settings())
    first = catalog.find(path)
    assert catalog.find(path) is first
    assert first.identification.title == "one"
    (tmp_path / "more.inc").write_text('"sos_title" "another"')
    assert catalog.find(path).identification.title == "another"
    Path(path).unlink()
    with pytest.raises(MapfileError):
        catalog.find(path)


def test_faulty_maps_leave_nothing_behind_and_recover(tmp_path: Path, write_map: MapWriter) -> None:
    catalog = ServiceCatalog(Settings(cache=str(tmp_path / "cache")))
    for _ in range(2):
        with pytest.raises(MapfileError):
            catalog.find(str(tmp_path / "test.map"))
    assert catalog.find(write_map()).layers


def test_threads_share_one_reading(write_map: MapWriter) -> None:
    path, catalog = write_map(), ServiceCatalog(Settings())
    found: list[Service] = []
    threads = [threading.Thread(target=lambda: found.append(catalog.find(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(service is found[0] for service in found)


def test_a_second_process_needs_no_parser(write_map: MapWriter, tmp_path: Path) -> None:
    path, cache = write_map(), str(tmp_path / "cache")
    service = ServiceCatalog(Settings(cache=cache)).find(path)
    assert ServiceCatalog(Settings(cache=cache)).find(path) == service
    program = (
        "import sys; from mapsos.mapfile.catalog import ServiceCatalog; from mapsos.config.settings import Settings\n"
        f"service = ServiceCatalog(Settings(cache={cache!r})).find({path!r})\n"
        "print(service.layers[0].offering_id, sorted({'lark', 'mappyfile', 'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])
    assert done.stdout == "off []\n"


FAULTS = {
    "no map": ("garbage [[[", 1),
    "half of it": ("MAP\n  NAME \"m\"\n  LAYER\n", None),
    "empty": ("", 1),
    "no text": ("\0\0\0\0", 1),
    "a missing file": ("MAP\nINCLUDE \"nowhere.inc\"\nEND", 2),
}


@pytest.mark.parametrize("cache", ["off", "on"])
@pytest.mark.parametrize(("text", "line"), FAULTS.values(), ids=FAULTS)
def test_the_last_good_map_is_served_until_it_is_mended(
    write_map: MapWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, line: int | None, cache: str
) -> None:
    path = write_map()
    catalog = ServiceCatalog(Settings(cache=str(tmp_path / "cache") if cache == "on" else None))
    good = catalog.find(path)
    Path(path).write_text(text)
    caplog.set_level("INFO", "mapsos")
    assert [catalog.find(path) for _ in range(3)] == [good] * 3
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{path}:{line}: " in record.getMessage() if line else path in record.getMessage()
    # The same fault once more, by another change, is told once more.
    Path(path).write_text(text + "\n")
    assert [catalog.find(path) for _ in range(3)] == [good] * 3
    assert len(caplog.records) == 2
    write_map(web=WEB + ' "sos_title" "mended"')
    assert catalog.find(path).identification.title == "mended"
    assert caplog.records[-1].getMessage() == f"{path} is valid again"
    Path(path).unlink()
    with pytest.raises(MapfileError):
        catalog.find(path)


def test_a_faulty_include_is_found_and_its_mending_too(
    write_map: MapWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = tmp_path / "more.inc"
    more.write_text('"sos_title" "one"')
    catalog = ServiceCatalog(Settings())
    path = write_map(web=WEB + '\nINCLUDE "more.inc"\n')
    catalog.find(path)
    more.write_text('"sos_title" "never closed')
    assert catalog.find(path).identification.title == "one"
    assert f"{more}:1: " in caplog.text
    more.write_text('"sos_title" "two"')
    assert catalog.find(path).identification.title == "two"


def test_a_fault_is_looked_at_again_after_a_while(
    write_map: MapWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing file may come without that any other changes."""
    path = write_map()
    catalog = ServiceCatalog(Settings())
    catalog.find(path)
    write_map(web=WEB + '\nINCLUDE "later.inc"\n')
    assert catalog.find(path).identification.title is None
    (tmp_path / "later.inc").write_text('"sos_title" "later"')
    monkeypatch.setattr("mapsos.mapfile.catalog.time.monotonic", lambda: float("inf"))
    assert catalog.find(path).identification.title == "later"


def test_processes_without_memory_have_the_compiled_map(write_map: MapWriter, tmp_path: Path) -> None:
    settings = Settings(cache=str(tmp_path / "cache"))
    path = write_map()
    good = ServiceCatalog(settings).find(path)
    compiled = [file.read_bytes() for file in (tmp_path / "cache").iterdir()]
    Path(path).write_text("garbage [[[")
    assert ServiceCatalog(settings).find(path) == good
    assert [file.read_bytes() for file in (tmp_path / "cache").iterdir()] == compiled
    with pytest.raises(MapfileError):
        ServiceCatalog(Settings()).find(path)

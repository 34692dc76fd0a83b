from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.settings import Settings

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
    (tmp_path / "more.inc").unlink()
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
        "import sys; from mapsos.mapfile.catalog import ServiceCatalog; from mapsos.settings import Settings\n"
        f"service = ServiceCatalog(Settings(cache={cache!r})).find({path!r})\n"
        "print(service.layers[0].offering_id, sorted({'lark', 'mappyfile', 'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])
    assert done.stdout == "off []\n"

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.mapfile import model
from mapsos.mapfile.compiled import CODEC, Compiled, load_compiled, store_compiled
from mapsos.mapfile.reader import read_identified_service
from mapsos.terms import predicates, times
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import InlineFeature, LayerSource

from .conftest import MapWriter

st.register_type_strategy(float, st.floats(allow_nan=False))
LEAVES = st.one_of(
    st.just(predicates.EVERYTHING),
    st.builds(predicates.Compare),
    st.builds(predicates.Matches),
    st.builds(predicates.OneOf),
    st.builds(predicates.Like),
    st.builds(predicates.Time, intervals=st.tuples(st.builds(times.Interval))),
    st.builds(predicates.Spatial),
)
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(predicates.Not, inner), st.builds(predicates.And, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=4,
)
SOURCES = st.builds(
    LayerSource,
    crs=st.none() | st.builds(Crs),
    row_filter=PREDICATES,
    features=st.lists(st.builds(InlineFeature), max_size=2).map(tuple),
)
LAYERS = st.builds(
    model.ObservationLayer,
    source=SOURCES,
    observed_property=st.builds(model.ObservedProperty),
    fields=st.dictionaries(st.text(max_size=3), st.builds(model.Field), max_size=2),
    procedures=st.none() | st.lists(st.text(max_size=3), max_size=3).map(tuple),
    keys=st.dictionaries(st.text(max_size=3), st.tuples(st.text(max_size=3), st.integers()), max_size=2),
)


@given(LAYERS, st.builds(model.Service, srs=st.none() | st.tuples(st.text()), extent=st.builds(model.Extent)))
def test_services_come_back_from_json(layer: model.ObservationLayer, service: model.Service) -> None:
    service = replace(service, layers=(layer,))
    back = CODEC.decode(json.loads(json.dumps(CODEC.encode(service))))
    assert back == service
    assert repr(back) == repr(service)


@pytest.fixture
def compiled(write_map: MapWriter) -> Compiled:
    return Compiled(*read_identified_service(write_map()))


def stored(tmp_path: Path, compiled: Compiled) -> tuple[str, Path]:
    folder = str(tmp_path / "cache" / "mapsos")
    store_compiled(folder, compiled.service.file, compiled)
    (file,) = Path(folder).iterdir()
    return folder, file


def test_what_is_stored_is_loaded_and_for_us_alone(tmp_path: Path, compiled: Compiled) -> None:
    folder, file = stored(tmp_path, compiled)
    assert load_compiled(folder, compiled.service.file) == compiled
    assert (os.stat(folder).st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert load_compiled(folder, "/another.map") is None


def test_a_changed_map_has_no_compiled_form(tmp_path: Path, compiled: Compiled) -> None:
    folder, _ = stored(tmp_path, compiled)
    with open(compiled.service.file, "a") as file:
        file.write("# changed")
    assert load_compiled(folder, compiled.service.file) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_text(file.read_text()[:-5]),
        lambda file: file.write_text("{}"),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text(file.read_text().replace('"Service"', '"Offering"')),
        lambda file: file.write_text(file.read_text().replace('"maker":"mapsos ', '"maker":"other ')),
        lambda file: file.write_bytes(b"\xff"),
        lambda file: file.chmod(0o666),
        lambda file: file.parent.chmod(0o777),
        lambda file: (file.rename(file.parent / "x"), file.symlink_to(file.parent / "x")),
    ],
)
def test_what_is_damaged_or_writable_by_others_is_ignored(tmp_path: Path, compiled: Compiled, damage) -> None:  # type: ignore[no-untyped-def]
    folder, file = stored(tmp_path, compiled)
    damage(file)
    assert load_compiled(folder, compiled.service.file) is None


def test_without_a_usable_folder_nothing_happens(tmp_path: Path, compiled: Compiled) -> None:
    (tmp_path / "file").touch()
    for folder in (None, str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/no/such"):
        store_compiled(folder, compiled.service.file, compiled)
        assert load_compiled(folder, compiled.service.file) is None


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, compiled: Compiled) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    store_compiled(str(folder), compiled.service.file, compiled)
    assert list(folder.iterdir()) == []


def test_a_link_to_a_folder_of_ours_is_used(tmp_path: Path, compiled: Compiled) -> None:
    """What systemd makes for a DynamicUser: the folder itself is in a private one."""
    (tmp_path / "private").mkdir(mode=0o700)
    link = tmp_path / "cache"
    link.symlink_to("private")
    store_compiled(str(link), compiled.service.file, compiled)
    assert len(list((tmp_path / "private").iterdir())) == 1
    assert load_compiled(str(link), compiled.service.file) == compiled


@pytest.mark.parametrize("linked", [True, False])
def test_a_folder_that_is_not_used_is_named_in_the_log_once(
    tmp_path: Path, compiled: Compiled, linked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    named = folder
    if linked:
        named = tmp_path / "link"
        named.symlink_to(folder)
    for _ in range(2):
        store_compiled(str(named), compiled.service.file, compiled)
        assert load_compiled(str(named), compiled.service.file) is None
    assert list(folder.iterdir()) == []
    assert [record.getMessage().split(" is not used")[0] for record in caplog.records] == [f"the cache folder {named}"]


def test_a_form_of_other_code_is_not_used(
    tmp_path: Path, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = stored(tmp_path, compiled)
    monkeypatch.setattr("mapsos.mapfile.compiled.code_version", lambda *rooms: f"mapsos 0.0 {rooms}")
    assert load_compiled(folder, compiled.service.file) is None
    store_compiled(folder, compiled.service.file, compiled)
    assert load_compiled(folder, compiled.service.file) == compiled

"""What is remembered of a layer's data, and how much of it."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers import facts
from mapsos.operations.layers.facts import TIME_TO_LIVE, FactStore, forget_facts
from mapsos.sources import layer as layers
from mapsos.terms.deadlines import DeadlineError
from mapsos.terms.layer_source import LayerSource, SourceKind

from .conftest import LAYER, World, layer_text


@pytest.fixture
def source(world: World) -> LayerSource:
    from mapsos.mapfile.reader import read_service

    world.write_map(layer_text())
    return read_service(str(world.folder / "service.map")).layers[0].source


def test_the_least_recently_used_values_are_forgotten_first(source: LayerSource) -> None:
    store, asked = FactStore(most=8), Counter[str]()

    def recall(question: str, size: int) -> None:
        def find() -> tuple[str, ...]:
            asked[question] += 1
            return ("",) * size

        assert len(store.recall(source, question, find)) == size

    for question, size in [("a", 3), ("b", 3), ("a", 3), ("c", 2), ("a", 3)]:
        recall(question, size)
    assert asked == {"a": 1, "b": 1, "c": 1}
    recall("b", 3)
    recall("c", 2)
    assert asked == {"a": 1, "b": 2, "c": 2}


def test_one_fact_is_kept_whatever_its_size(source: LayerSource) -> None:
    store, found = FactStore(most=2), [("",) * 9, ()]
    assert store.recall(source, "a", lambda: found.pop(0)) == store.recall(source, "a", lambda: found.pop(0))


def test_of_eight_threads_one_finds_a_fact(source: LayerSource) -> None:
    store, found, together = FactStore(), Counter[int](), threading.Barrier(8)

    def find() -> str:
        found[threading.get_ident()] += 1
        # Time enough for all others to come and find that it is being found.
        waiting.wait(0.2)
        return "fact"

    def recall(_: int) -> str:
        together.wait(60)
        return store.recall(source, "question", find)

    waiting = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(recall, range(8))) == ["fact"] * 8
    assert found.total() == 1


def test_what_one_thread_cannot_find_is_reported_to_all_that_wait(source: LayerSource) -> None:
    """If each of them tried in turn, the last would wait for a dead database eight times as long as the first."""
    store, found, together = FactStore(), Counter[str](), threading.Barrier(8)

    def find() -> str:
        found["tried"] += 1
        threading.Event().wait(0.2)
        raise ServiceError(Kind.UNREADABLE, "data", "gone")

    def recall(_: int) -> None:
        together.wait(60)
        with pytest.raises(ServiceError, match="gone"):
            store.recall(source, "question", find)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(recall, range(8)))
    assert found == {"tried": 1}


def test_the_deadline_of_one_request_is_not_that_of_another(source: LayerSource) -> None:
    store, begun = FactStore(), threading.Event()

    def run_out_of_time() -> str:
        begun.set()
        threading.Event().wait(0.2)
        raise DeadlineError(1)

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(store.recall, source, "question", run_out_of_time)
        assert begun.wait(60)
        assert store.recall(source, "question", lambda: "fact") == "fact"
        with pytest.raises(DeadlineError):
            late.result(60)


def test_what_was_found_before_a_write_is_not_stored_after_it() -> None:
    database = LayerSource("rows", SourceKind.POSTGIS, "dbname=x", "geom FROM rows")
    store = FactStore()

    def find() -> str:
        store.forget(database)
        assert store.recall(database, "question", lambda: "new") == "new"
        return "old"

    assert store.recall(database, "question", find) == "old"
    assert store.recall(database, "question", lambda: "newest") == "new"


def test_what_one_thread_could_not_find_the_next_one_looks_for(source: LayerSource) -> None:
    store = FactStore()
    with pytest.raises(ZeroDivisionError):
        store.recall(source, "question", lambda: 1 / 0)
    assert store.recall(source, "question", lambda: "fact") == "fact"


def test_each_fact_of_a_database_ages_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    database = LayerSource("rows", SourceKind.POSTGIS, "dbname=x", "geom FROM rows")
    store, asked = FactStore(), Counter[str]()
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(facts, "time", clock)

    def recall(moment: float, question: str) -> None:
        clock.now = moment
        store.recall(database, question, lambda: asked.update([question]))

    recall(0, "first")
    recall(TIME_TO_LIVE / 2, "second")
    recall(TIME_TO_LIVE - 1, "first")
    assert asked == {"first": 1, "second": 1}
    # The first is too old now, the second is not.
    for question in ("first", "second"):
        recall(TIME_TO_LIVE, question)
    assert asked == {"first": 2, "second": 1}
    for question in ("first", "second"):
        recall(TIME_TO_LIVE * 3 / 2, question)
    assert asked == {"first": 2, "second": 2}


@pytest.mark.parametrize(
    ("request_name", "asked", "opens"),
    [
        ("GetCapabilities", {}, {1: 1, 2: 0}),
        ("DescribeSensor", {"procedure": "A", "outputFormat": 'text/xml; subtype="sensorML/1.0.1"'}, {1: 3, 2: 0}),
        ("DescribeFeatureType", {}, {1: 1, 2: 0}),
        ("GetDataAvailability", {}, {1: 2, 2: 0}),
        ("GetFeatureOfInterest", {"FeatureOfInterestId": "A"}, {1: 3, 2: 1}),
    ],
)
def test_nothing_is_asked_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, request_name: str, asked: dict[str, str], opens: dict[int, int]
) -> None:
    """How often the layer is opened for a request: for its schema, for each other fact, and for what is not kept.

    Capabilities find all facts while it is open.
    """
    opened = 0

    class Counted(layers.Layer):
        def __init__(self, source: LayerSource) -> None:
            nonlocal opened
            opened += 1
            super().__init__(source)

    world.write_map(layer_text(metadata=LAYER + ' "sos_describesensor" "generate"'))
    monkeypatch.setattr(layers, "Layer", Counted)
    forget_facts()
    for number, expected in opens.items():
        opened = 0
        world.ask(request_name, **asked)
        assert (number, opened) == (number, expected)

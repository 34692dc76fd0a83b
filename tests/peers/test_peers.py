"""Each case of the catalogue: mapserv's answer and mapsos's, equal but for the differences that the case names."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.peers.normalising import normalised_differences

from . import answers
from .cases import Case
from .catalogue import CASES, MAPS, TOPICS
from .comparison import differences, read_side
from .conftest import Ground
from .differences import DIFFERENCES, EVERYWHERE
from .mapfiles import COMMON_MAPS
from .versions import is_mended, of_version, refusal


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_both_answer_alike(case: Case, ground: Ground) -> None:
    case = of_version(case)
    call = ground.call(case)
    theirs = read_side(ground.ask_mapserv(call))
    ours = read_side(ground.ask_mapsos(call))
    if (words := refusal(case)) is not None:
        assert words in theirs.answer.text
        assert "sos:Capabilities" in ours.answer.text
        return
    notes = [f"by hand: {call.by_hand(answers.MAPSERV)}", f"ours:    {call.by_hand('mapsos')}"]
    if case.expects:
        for expectation in case.expects:
            try:
                expectation(ours)
            except AssertionError as error:
                pytest.fail("\n".join([f"{case.id} {case.differs}: {error}", *notes]), pytrace=False)
        if is_mended(case):
            assert differences(ours, theirs) == []
            return
        assert differences(ours, theirs), f"{case.id}: mapserv gives the same answer; {case.differs} is stale"
        return
    everywhere = tuple(name for name in EVERYWHERE if name not in case.differs)
    found = normalised_differences(ours, theirs, (*everywhere, *case.differs))
    if found:
        shown = [f"{case.id}: {len(found)} differences besides {case.differs or 'none'}", *found[:8], *notes]
        pytest.fail("\n".join(shown), pytrace=False)
    for name in case.differs:
        others = tuple(other for other in case.differs if other != name)
        found = normalised_differences(ours, theirs, (*everywhere, *others))
        assert found, f"{case.id}: {name} is not met, take it out"


@pytest.mark.parametrize("case", CASES[::40], ids=lambda case: case.id)
def test_the_resident_mapserv_answers_as_the_cgi_program(case: Case, ground: Ground) -> None:
    call = ground.call(case)
    resident, program = ground.ask_mapserv(call), ground.ask_mapserv(call, by_cgi=True)
    assert (resident.headers, resident.body, resident.exit_code) == (program.headers, program.body, program.exit_code)




def test_every_case_has_its_own_name() -> None:
    twice = [name for name, count in Counter(case.id for case in CASES).items() if count > 1]
    assert not twice


def test_every_map_has_one_text_and_a_case() -> None:
    names = [name for topic in TOPICS for name in topic.MAPS] + list(COMMON_MAPS)
    assert len(names) == len(set(names)), [name for name, count in Counter(names).items() if count > 1]
    used = {case.map for case in CASES}
    assert {case.map for case in CASES if case.map} <= set(names) | {"missing"}
    assert set(MAPS) <= used, set(MAPS) - used


def test_every_allowed_difference_is_in_the_table() -> None:
    assert {name for case in CASES for name in case.differs} <= set(DIFFERENCES)


def test_every_deliberate_difference_is_met() -> None:
    met = {name for case in CASES for name in case.differs}
    # B-13 is about the process: test_command meets it.
    assert {name for name in DIFFERENCES if name.startswith("B-")} - met == {"B-13"}


def test_the_catalogue_is_large() -> None:
    assert len(CASES) >= 250

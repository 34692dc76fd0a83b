from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.rest.errors import RestError
from mapsos.rest.filters.where import FIELDS, MOST_CONDITIONS, MOST_LEVELS, parse_where
from mapsos.terms.predicates import (
    ANY_ONE,
    ANY_RUN,
    EVERYTHING,
    NOTHING,
    And,
    Between,
    Compare,
    IsNull,
    Like,
    Not,
    OneOf,
    Or,
    Predicate,
    Time,
)
from mapsos.terms.times import FOREVER, Interval, parse_period, parse_time

DAY = parse_time("2011-10-19")


def number(operator: str, literal: str) -> Compare:
    return Compare("numeric_value", operator, literal, kind="number")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ("numeric_value<=35", number("<=", "35")),
        ("NUMERICVALUE != -1.5e3", number("<>", "-1.5e3")),
        ('"numeric_value" > .5', number(">", ".5")),
        ("35 >= numeric_value", number("<=", "35")),
        ("procedure = 'it''s'", Compare("procedure", "=", "it's", kind="text")),
        ("procedure in ('a', 'b')", OneOf("procedure", ("a", "b"))),
        ("procedure NOT IN ('a')", Not(OneOf("procedure", ("a",)))),
        ("numeric_value in (1, 2)", Or((number("=", "1"), number("=", "2")))),
        ("text_value LIKE 'a%_b'", Like("text_value", ("a", ANY_RUN, ANY_ONE, "b"))),
        ("text_value LIKE '50!%%' ESCAPE '!'", Like("text_value", ("50%", ANY_RUN))),
        ("numeric_value BETWEEN 1 AND 2", Between("numeric_value", "1", "2", kind="number")),
        ("numeric_value not between 1 and 2", Not(Between("numeric_value", "1", "2", kind="number"))),
        ("uom IS NULL", IsNull("uom")),
        ("uom is not null", Not(IsNull("uom"))),
        ("phenomenonTime = '2011-10-19'", Time("phenomenon_time", (DAY,), "equals")),
        ("phenomenonTime <> DATE '2011-10-19'", Not(Time("phenomenon_time", (DAY,), "equals"))),
        ("result_time >= DATE '2011-10-19'", Time("result_time", (Interval(DAY.begin, FOREVER),))),
        ("result_time > DATE '2011-10-19'", Time("result_time", (Interval(DAY.end, FOREVER),))),
        ("time_stamp < TIMESTAMP '2011-10-19 00:00:00'", Time("phenomenon_time", (Interval(-FOREVER, DAY.begin),))),
        ("time_stamp <= DATE '2011-10-19'", Time("phenomenon_time", (Interval(-FOREVER, DAY.end),))),
        (
            "time_stamp between DATE '2011-10-19' and DATE '2011-10-20'",
            Time("phenomenon_time", (parse_period("2011-10-19/2011-10-20"),)),
        ),
        ("time_stamp between '2011-10-20' and '2011-10-19'", NOTHING),
        ("1=1", EVERYTHING),
        ("1=0", NOTHING),
        ("'a'<'b' AND 1=1", EVERYTHING),
        ("not 1=1", NOTHING),
        ("numeric_value>1 or 1=1", EVERYTHING),
        (
            "numeric_value>1 or numeric_value<0 and uom='m'",
            Or((number(">", "1"), And((number("<", "0"), Compare("uom", "=", "m", kind="text"))))),
        ),
        (
            "(numeric_value>1 or numeric_value<0) and not uom='m'",
            And((Or((number(">", "1"), number("<", "0"))), Not(Compare("uom", "=", "m", kind="text")))),
        ),
        ("not not numeric_value>1", number(">", "1")),
    ],
)
def test_reads_conditions(text: str, predicate: Predicate) -> None:
    assert parse_where(text) == predicate


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("numeric_value", 14),
        ("numeric_value <", 16),
        ("numeric_value = 'a'", 17),
        ("numeric_value = 5 5", 19),
        ("speed = 5", 1),
        ("text_value = 5", 14),
        ("text_value = 'a' ; drop table x", 18),
        ("text_value = 'a' -- more", 18),
        ("text_value = 'a", 14),
        ("text_value = numeric_value", 14),
        ("numeric_value + 1 = 2", 15),
        ("abs(numeric_value) = 2", 1),
        ("numeric_value in (select 1)", 19),
        ("numeric_value in ()", 19),
        ("numeric_value like 'a'", 1),
        ("text_value like 'a' escape 'ab'", 28),
        ("text_value like 'a!' escape '!'", 17),
        (f"text_value like '{'_' * 1001}'", 17),
        ("text_value not = 'a'", 16),
        ("time_stamp > 'yesterday'", 14),
        ("time_stamp > DATE 5", 19),
        ("(numeric_value > 5", 19),
        ("numeric_value > 5)", 18),
        ("1 = 'a'", 5),
        ("numeric_value is 5", 18),
        ("a\x00", 2),
    ],
)
def test_refuses_the_rest_with_its_place(text: str, place: int) -> None:
    with pytest.raises(RestError, match=r"where cannot be read: .+ \(character \d+\)$") as caught:
        parse_where(text)
    assert caught.value.message.endswith(f"(character {place})")


def test_is_bounded() -> None:
    with pytest.raises(RestError, match="levels"):
        parse_where("(" * (MOST_LEVELS + 1) + "1=1" + ")" * (MOST_LEVELS + 1))
    with pytest.raises(RestError, match="conditions"):
        parse_where(" or ".join(["numeric_value = 1"] * (MOST_CONDITIONS + 1)))
    with pytest.raises(RestError, match="conditions"):
        parse_where(f"numeric_value in ({','.join(['1'] * (MOST_CONDITIONS + 1))})")


WORDS = st.sampled_from(
    [*FIELDS, "and", "or", "not", "in", "like", "is", "null", "between", "(", ")", ",", "=", "<", "1"]
)


@given(st.text() | st.lists(WORDS | st.just("'a'")).map(" ".join))
def test_gives_a_predicate_or_says_why_not(text: str) -> None:
    with contextlib.suppress(RestError):
        parse_where(text)


def test_levels_count_the_condition_itself() -> None:
    depth = MOST_LEVELS - 1
    assert parse_where("(" * depth + "1=1" + ")" * depth) == EVERYTHING
    with pytest.raises(RestError, match=rf"more than {MOST_LEVELS} levels \(character {MOST_LEVELS + 1}\)"):
        parse_where("(" * MOST_LEVELS + "1=1" + ")" * MOST_LEVELS)

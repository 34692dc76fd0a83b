from __future__ import annotations

import dataclasses
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mapsos.columns.batches import Batch
from mapsos.encodings import spool
from mapsos.encodings.mapserver import datablock
from mapsos.encodings.mapserver.datablock import encode_datablocks
from mapsos.encodings.markup import DataBlockMarkup, DataField, Phenomenon, TimeExtent

MakeBatch = Callable[..., Batch]
Parse = Callable[..., Any]

MARKUP = DataBlockMarkup(
    phenomenon=Phenomenon("op", "Property", ("urn:x",)),
    time_extent=TimeExtent("2001", "2003"),
    fields=(DataField("value", "v", uom="m"), DataField("a <note>", "note", definition="urn:d&e")),
    token_separator=",",
    block_separator="\n",
    time_column="t",
    procedure_column="stn",
)
ALONE = dataclasses.replace(MARKUP, procedure_column=None, procedure="S1 S2", missing_procedure_item=True)
NAMES = {
    "gml": "http://www.opengis.net/gml",
    "om": "http://www.opengis.net/om/1.0",
    "swe": "http://www.opengis.net/swe/1.0.1",
}
HREF = "{http://www.w3.org/1999/xlink}href"


def read(root: Any) -> list[tuple[str | None, str | None]]:
    """Procedure and result of each member."""
    procedures = [member.find(".//om:procedure", NAMES) for member in root]
    hrefs = [None if found is None else found.get(HREF).removeprefix("urn:ogc:def:procedure:") for found in procedures]
    return list(zip(hrefs, (member.find(".//om:result", NAMES).text for member in root), strict=True))


def test_a_whole_member(make_batch: MakeBatch) -> None:
    batch = make_batch(t=["2001-01-01", None], v=["1.5", None], note=["A & B", ""])
    assert (
        b"".join(encode_datablocks(ALONE, [batch])).decode()
        == """\
  <om:member>
    <om:Observation>
      <om:samplingTime>
        <gml:TimePeriod>
          <gml:beginPosition>2001</gml:beginPosition>
          <gml:endPosition>2003</gml:endPosition>
        </gml:TimePeriod>
      </om:samplingTime>
      <!--WARNING: Optional metadata "sos_procedure_item" missing for sos:procedure.  If you have more than 1 \
procedures, sos:procedure will output them incorrectly.-->
      <om:procedure xlink:href="urn:ogc:def:procedure:S1 S2"/>
      <om:observedProperty>
        <swe:CompositePhenomenon gml:id="op" dimension="1">
          <gml:name>Property</gml:name>
          <swe:component xlink:href="urn:x"/>
        </swe:CompositePhenomenon>
      </om:observedProperty>
      <om:resultDefinition>
        <swe:DataBlockDefinition>
          <swe:components>
            <swe:DataRecord>
              <swe:field name="time">
                <swe:Time definition="urn:ogc:phenomenon:time:iso8601"/>
              </swe:field>
              <swe:field name="value">
                <swe:Quantity definition="urn:ogc:object:definition">
                  <swe:uom code="m"/>
                </swe:Quantity>
              </swe:field>
              <swe:field name="a &lt;note&gt;">
                <swe:Quantity definition="urn:d&amp;e">
                  <swe:uom code="urn:ogc:object:uom"/>
                </swe:Quantity>
              </swe:field>
            </swe:DataRecord>
          </swe:components>
          <swe:encoding>
            <swe:TextBlock tokenSeparator="," blockSeparator="&#10;" decimalSeparator="."/>
          </swe:encoding>
        </swe:DataBlockDefinition>
      </om:resultDefinition>
      <om:result>2001-01-01,1.5,A &amp; B
,,</om:result>
    </om:Observation>
  </om:member>
"""
    )


def test_a_member_for_each_procedure(make_batch: MakeBatch, parse_members: Parse) -> None:
    batches = [
        make_batch(stn=["S1", "b", None, "s1"], t=["1", "2", "3", "4"], v=["a"] * 4, note=[None] * 4),
        make_batch(stn=[], t=[], v=[], note=[]),
        make_batch(stn=["", "B", "S1"], t=["5", "6", "7"], v=["c"] * 3, note=["x, y"] * 3),
    ]
    assert read(parse_members(list(encode_datablocks(MARKUP, batches)))) == [
        ("S1", "1,a,\n4,a,\n7,c,x%2C y"),
        ("b", "2,a,\n6,c,x%2C y"),
        ("", "3,a,\n5,c,x%2C y"),
    ]


def test_case_is_folded_beyond_ascii(make_batch: MakeBatch, parse_members: Parse) -> None:
    batch = make_batch(stn=["Straße", "STRASSE"], t=["1", "2"], v=["", ""], note=["", ""])
    assert read(parse_members(list(encode_datablocks(MARKUP, [batch])))) == [("Straße", "1,,\n2,,")]


@pytest.mark.parametrize("markup", [MARKUP, ALONE])
def test_no_rows_no_member(make_batch: MakeBatch, markup: DataBlockMarkup) -> None:
    assert list(encode_datablocks(markup, [])) == []
    assert list(encode_datablocks(markup, [make_batch(stn=[], t=[], v=[], note=[])])) == []


@pytest.mark.parametrize("procedure_column", ["stn", None])
def test_no_time_column_no_time_field(
    make_batch: MakeBatch, parse_members: Parse, procedure_column: str | None
) -> None:
    markup = dataclasses.replace(MARKUP, time_column=None, procedure_column=procedure_column)
    root = parse_members(list(encode_datablocks(markup, [make_batch(stn=["S"], v=["1"], note=["2"])])))
    assert [field.get("name") for field in root.iter("{*}field")] == ["value", "a <note>"]
    assert root.find(".//om:result", NAMES).text == "1,2"


def test_an_extent_that_is_still_open(make_batch: MakeBatch, parse_members: Parse) -> None:
    markup = dataclasses.replace(ALONE, time_extent=TimeExtent("1990", "", open_end=True))
    root = parse_members(list(encode_datablocks(markup, [make_batch(t=["1"], v=["2"], note=["3"])])))
    end = root.find(".//gml:endPosition", NAMES)
    assert (end.text, end.get("indeterminatePosition")) == (None, "now")


def test_no_extent_no_procedure(make_batch: MakeBatch, parse_members: Parse) -> None:
    markup = dataclasses.replace(ALONE, time_extent=None, procedure=None, missing_procedure_item=False)
    root = parse_members(list(encode_datablocks(markup, [make_batch(t=["1"], v=["2"], note=["3"])])))
    assert [child.tag.split("}")[1] for child in root[0][0]] == ["observedProperty", "resultDefinition", "result"]


@pytest.mark.parametrize(("token", "block"), [("||", "@@"), ("<", "&&"), ("\t", "\r\n"), ("·", "¶")])
@pytest.mark.parametrize("markup", [MARKUP, ALONE])
def test_other_separators(
    make_batch: MakeBatch, parse_members: Parse, markup: DataBlockMarkup, token: str, block: str
) -> None:
    markup = dataclasses.replace(markup, token_separator=token, block_separator=block)
    values = ["a", f"b{token}{block}"]
    batch = make_batch(stn=["S", "S"], t=["1", "2"], v=values, note=["x", "y"])
    root = parse_members(list(encode_datablocks(markup, [batch])))
    text_block = root.find(".//swe:TextBlock", NAMES)
    assert (text_block.get("tokenSeparator"), text_block.get("blockSeparator")) == (token, block)
    escaped = "".join(f"%{byte:02X}" for byte in (token + block).encode())
    assert root.find(".//om:result", NAMES).text.split(block) == [
        token.join(["1", "a", "x"]),
        token.join(["2", f"b{escaped}", "y"]),
    ]


def test_grouping_is_the_same_however_it_is_kept(make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(9)
    stations = [f"{'sS'[number % 2]}{number // 2}" for number in chance.integers(0, 60, 5000)]
    numbers = [str(number) for number in range(5000)]
    expected: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for station, number in zip(stations, numbers, strict=True):
        labels.setdefault(station.casefold(), station)
        expected.setdefault(station.casefold(), []).append(f"{number},{number},{number}")

    def documents() -> Iterator[bytes]:
        for rows in (7, 1000, 5000):
            yield b"".join(
                encode_datablocks(
                    MARKUP,
                    (
                        make_batch(
                            stn=stations[start : start + rows],
                            t=numbers[start : start + rows],
                            v=numbers[start : start + rows],
                            note=numbers[start : start + rows],
                        )
                        for start in range(0, 5000, rows)
                    ),
                )
            )

    usual = list(documents())
    monkeypatch.setattr(datablock, "_SORTED_ROWS", 10)
    monkeypatch.setattr(datablock, "Spool", lambda: spool.Spool(1000))
    assert len(set(usual) | set(documents())) == 1
    for folded, label in labels.items():
        assert f"procedure:{label}".encode() in usual[0]
        assert ("<om:result>" + "\n".join(expected[folded]) + "</om:result>").encode() in usual[0]


def many_batches(rows: int, size: int = 8192) -> Iterator[Batch]:
    """Rows in one batch after the other, none kept: 200 stations in no order."""
    chance = np.random.default_rng(1)
    names = pa.array([f"Station {number}" for number in range(200)], pa.large_string())
    values = pa.array([f"2001-01-01T00:00:{number % 60:02d}Z {number}" for number in range(size)], pa.large_string())
    for start in range(0, rows, size):
        count = min(size, rows - start)
        stations = names.take(pa.array(chance.integers(0, 200, count)))
        texts = {"stn": stations, "t": values[:count], "v": values[:count], "note": values[:count]}
        yield Batch(count, {}, texts)


def test_python_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 4 << 20
    monkeypatch.setattr(datablock, "Spool", lambda: spool.Spool(bound))
    peaks = []
    for rows in (100_000, 400_000):
        tracemalloc.start()
        length = sum(map(len, encode_datablocks(MARKUP, many_batches(rows))))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert length > rows * 70
    assert max(peaks) < 4 * bound
    assert peaks[1] < peaks[0] * 1.25


PEAK = """
import importlib.util, re, sys
spec = importlib.util.spec_from_file_location("tests_of_datablock", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
markup = module.MARKUP
if sys.argv[3] == "alone":
    markup = module.ALONE
length = sum(map(len, module.encode_datablocks(markup, module.many_batches(int(sys.argv[2])))))
# Not ru_maxrss: that of the process which started this one counts there too.
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.parametrize("how", ["grouped", "alone"])
def test_process_memory_has_a_bound(how: str) -> None:
    def peak(rows: int) -> int:
        command = [sys.executable, "-c", PEAK, __file__, str(rows), how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    few, many = peak(200_000), peak(1_000_000)
    # A million rows are about 90 MB of records; the spool holds 64 MiB of them at most.
    assert many < few + 96
    assert many < 400

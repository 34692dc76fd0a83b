"""Every way in which mapsos may answer otherwise than mapserv 8.0, with what makes the two answers comparable again.

D-nn are defects of MapServer (docs/mapserver-sos.md, "Defects"); B-nn are deliberate differences of mapsos.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from .comparison import COMMENT, TEXT, Node, Side

Normaliser = Callable[[Side, Side], None]


@dataclass(frozen=True)
class Difference:
    """``line`` says it in one line; ``normalise`` maps (ours, theirs) to a common form for this difference alone.

    Without a normaliser, the two answers cannot be compared (mapserv crashes, or its answer is wrong as a whole), and
    a case says what is expected of mapsos.
    """

    line: str
    normalise: Normaliser | None = None


def follow_raw_location(ours: Side, theirs: Side) -> None:
    """Their Location is entity-escaped, ours percent-encoded; so are names of layers in links."""
    for side in (ours, theirs):
        if "location" in side.headers:
            side.headers["location"] = unquote(html.unescape(side.headers["location"]))
        for node in side.tree.walk() if side.tree else ():
            for name, value in node.attributes.items():
                if "request=DescribeFeatureType" in value:
                    node.attributes[name] = unquote(value)


def cut_lines(ours: Side, theirs: Side) -> None:
    """Keep the first line of exception texts."""
    for side in (ours, theirs):
        for node in side.tree.find("ows:ExceptionText") if side.tree else ():
            for child in node.children:
                child.text = child.text.partition("\n")[0]


def forget_computed(ours: Side, theirs: Side) -> None:
    """Take out of our offerings (and collections) the extent and time that theirs do not have."""
    if ours.tree is None or theirs.tree is None:
        return
    for kind in ("sos:ObservationOffering", "om:ObservationCollection"):
        for own, other in zip(ours.tree.find(kind), theirs.tree.find(kind), strict=False):
            there = {child.name for child in other.children}
            own.children = [
                child
                for child in own.children
                if child.name not in ("gml:boundedBy", "sos:time") or child.name in there
            ]


def unescape_values(ours: Side, theirs: Side) -> None:
    """Undo their second escaping of DataBlock values and of a procedure's id, and our escaping of separators."""
    if ours.tree is None or theirs.tree is None:
        return
    for result in ours.tree.find("om:result"):
        for child in result.children:
            child.text = re.sub("%(2C|3B|0A)", lambda found: unquote(found[0]), child.text)
    for result in theirs.tree.find("om:result"):
        for child in result.children:
            if child.name == TEXT:
                child.text = html.unescape(child.text)
    for procedure in theirs.tree.find("om:procedure"):
        procedure.attributes = {name: html.unescape(value) for name, value in procedure.attributes.items()}


def move_open_end(ours: Side, theirs: Side) -> None:
    """Put indeterminatePosition of a period on its end, and on an end that is empty."""
    for side in (ours, theirs):
        for period in side.tree.find("gml:TimePeriod") if side.tree else ():
            period.attributes.pop("indeterminatePosition", None)
            for end in period.children[1:2]:
                if not end.content:
                    end.attributes["indeterminatePosition"] = "now"


def unescape_schemas(ours: Side, theirs: Side) -> None:
    """Undo their second escaping of the schema location."""
    for node in theirs.tree.walk() if theirs.tree else ():
        if "xsi:schemaLocation" in node.attributes:
            node.attributes["xsi:schemaLocation"] = html.unescape(node.attributes["xsi:schemaLocation"])


def gather_comments(ours: Side, theirs: Side) -> None:
    """Compare comments as a sorted list at the end of the document."""
    for side in (ours, theirs):
        if side.tree:
            comments = sorted(side.tree.find(COMMENT), key=lambda node: node.text)
            side.tree.remove(lambda node: node.name == COMMENT)
            side.tree.children.extend(comments)


def forget_labels(ours: Side, theirs: Side) -> None:
    """Take the CRS labels (and the extents that need one) that only ours has."""
    if ours.tree is None or theirs.tree is None:
        return
    forget_computed(ours, theirs)
    if not any("srsName" in node.attributes for node in theirs.tree.walk()):
        for node in ours.tree.walk():
            node.attributes.pop("srsName", None)
            if node.name in ("gml:Envelope", "gml:Point"):
                node.attributes.pop("srsDimension", None)
    if theirs.tree:
        for node in theirs.tree.walk():
            if node.name in ("gml:Envelope", "gml:Point") and "srsName" not in node.attributes:
                node.attributes.pop("srsDimension", None)


def forget_version(ours: Side, theirs: Side) -> None:
    """Take out the version comment, and the line of -v."""
    for side in (ours, theirs):
        if side.tree:
            side.tree.remove(lambda node: node.name == COMMENT and " version " in node.text)
        lines = side.text.splitlines(keepends=True)
        side.text = "".join(line for line in lines if " version " not in line or "SUPPORTS=" not in line)


def forget_property_links(ours: Side, theirs: Side) -> None:
    """Take the xlink:href off our observed properties."""
    for node in ours.tree.find("sos:observedProperty") if ours.tree else ():
        node.attributes.pop("xlink:href", None)


def cut_fractions(ours: Side, theirs: Side) -> None:
    """Cut the fractions off our date-times."""
    for node in ours.tree.walk() if ours.tree else ():
        node.text = re.sub(r"(T\d\d:\d\d:\d\d)\.\d+", r"\1", node.text)


def list_sensors_once(ours: Side, theirs: Side) -> None:
    """Take out sensors that an offering of theirs lists already."""
    for offering in theirs.tree.find("sos:ObservationOffering") if theirs.tree else ():
        known: set[str] = set()
        kept = []
        for child in offering.children:
            id_ = child.attributes.get("xlink:href", "").casefold() if child.name == "sos:procedure" else ""
            if id_ not in known:
                kept.append(child)
            if id_:
                known.add(id_)
        offering.children = kept


def forget_operators(ours: Side, theirs: Side) -> None:
    """Take out the operators and operands that only our filter capabilities list."""
    if ours.tree is None or theirs.tree is None:
        return
    for kind in ("ogc:TemporalOperators", "ogc:ComparisonOperators"):
        for own, other in zip(ours.tree.find(kind), theirs.tree.find(kind), strict=False):
            there = [(child.attributes.get("name"), child.content) for child in other.children]
            own.children = [child for child in own.children if (child.attributes.get("name"), child.content) in there]


def forget_additions(ours: Side, theirs: Side) -> None:
    """Take out the operations, their parameters and values, and the formats, that only our capabilities list."""
    if ours.tree is None or theirs.tree is None:
        return
    for kind in ("ows:OperationsMetadata", "ows:Operation", "sos:ObservationOffering"):
        for own, other in zip(ours.tree.find(kind), theirs.tree.find(kind), strict=False):
            _keep_common(own, other, ("ows:Operation", "ows:Parameter", "sos:responseFormat", "sos:resultModel"))
    for own, other in zip(ours.tree.find("ows:AllowedValues"), theirs.tree.find("ows:AllowedValues"), strict=False):
        _keep_common(own, other, ("ows:Value",))


def _keep_common(own: Node, other: Node, kinds: tuple[str, ...]) -> None:
    there = [(child.name, child.attributes.get("name") or child.content) for child in other.children]
    own.children = [
        child
        for child in own.children
        if child.name not in kinds or (child.name, child.attributes.get("name") or child.content) in there
    ]


def shorten_formats(ours: Side, theirs: Side) -> None:
    """Keep the first of the response formats that our exception lists."""
    for node in ours.tree.find("ows:ExceptionText") if ours.tree else ():
        for child in node.children:
            child.text = re.sub(r'(Allowable values are: text/xml; subtype="om/1\.0\.0"), .*', r"\1", child.text)


def forget_false_zeros(ours: Side, theirs: Side) -> None:
    """Take out their 0 where our value is empty: in elements of columns, and in the values of a DataBlock."""
    if ours.tree is None or theirs.tree is None:
        return
    for own, other in zip(_list_values(ours.tree), _list_values(theirs.tree), strict=False):
        if own.name == other.name and not own.children and other.content.strip() == "0":
            other.children = []
    for own, other in zip(ours.tree.find("om:result"), theirs.tree.find("om:result"), strict=False):
        for child in other.children:
            if child.name == TEXT:
                child.text = _drop_zeros(own.content, child.text)


def _drop_zeros(ours: str, theirs: str) -> str:
    """Return their text without each value 0 that is empty in ours, also where separators are unusual."""
    lines = list(zip(ours.split("\n"), theirs.split("\n"), strict=False))
    if any("," in line for line, _ in lines):
        return "\n".join(_drop_in_line(own.split(","), other.split(",")) for own, other in lines)
    kept = ""
    for character in theirs:
        if character != "0" or ours[len(kept) : len(kept) + 1] == "0":
            kept += character
    return kept if kept == ours else theirs


def _drop_in_line(ours: list[str], theirs: list[str]) -> str:
    if len(ours) != len(theirs):
        return ",".join(theirs)
    return ",".join("" if not a and b == "0" else b for a, b in zip(ours, theirs, strict=True))


def _list_values(tree: Node) -> list[Node]:
    members = [node for member in tree.find("gml:featureMember") for node in member.walk()]
    return [node for node in members if node.name not in (TEXT, COMMENT) and not any(map(_is_element, node.children))]


def _is_element(node: Node) -> bool:
    return node.name not in (TEXT, COMMENT)


def shorten_paths(ours: Side, theirs: Side) -> None:
    """Cut their path to the file name."""
    theirs.text = re.sub(r"\(/\S*/([^/)\s]+)\)", r"(\1)", theirs.text)


DIFFERENCES: dict[str, Difference] = {
    "D-01": Difference("A layer in another CRS than the answer is reprojected once, not twice."),
    "D-02": Difference("Two layers with procedure_item in one om:Observation are grouped each, no crash."),
    "D-03": Difference("procedure selects rows by procedure_item on every data source."),
    "D-04": Difference("eventTime accepts gml:TimeInstant."),
    "D-05": Difference("eventTime accepts attributes, namespaces and the temporal operators, each with its meaning."),
    "D-06": Difference(
        "Times compare as intervals of their precision in UTC; an open end or no EXTENT restricts nothing."
    ),
    "D-07": Difference("procedure and result are judged per layer and fail only if they fit no layer."),
    "D-08": Difference("Procedures are accepted as URN and bare everywhere."),
    "D-09": Difference("Layers of one offering are each shown by their own items, fields and procedures."),
    "D-10": Difference("Layers disabled by enable_request give no observations and no sensor addresses."),
    "D-11": Difference("Exceptions are HTTP 200 as MapServer's; a setting turns on real status codes."),
    "D-12": Difference(
        "What stands in the addresses of redirects and links is percent-encoded, not entity-escaped.",
        follow_raw_location,
    ),
    "D-13": Difference("A missing offering extent or time extent is computed from the data.", forget_computed),
    "D-14": Difference("The srsName and axis order of envelopes count; bbox and result work together."),
    "D-14b": Difference(
        "PropertyIsNull finds rows without a value; a missing number is not 0, and empty in every format.",
        forget_false_zeros,
    ),
    "D-14c": Difference("maxfeatures limits the whole answer, of both result models."),
    "D-14d": Difference("A FeatureId filter on a layer without a feature id item selects nothing."),
    "D-15": Difference("A faulty time extent gives one exception report and nothing after it."),
    "D-15b": Difference("A timeitem that is no column announces no time field."),
    "D-16": Difference("Offering names and descriptions are text: an ampersand is kept."),
    "D-16b": Difference(
        "Values of a DataBlock and procedure ids are escaped once; separators inside values are percent-encoded.",
        unescape_values,
    ),
    "D-17": Difference("An open end is an end position with indeterminatePosition now.", move_open_end),
    "D-18": Difference("Names that are no XML names are encoded, so that documents stay well-formed."),
    "D-18b": Difference("A mapfile that is not UTF-8 gives a valid UTF-8 document."),
    "D-19": Difference("An ampersand in ows_schemas_location is escaped once.", unescape_schemas),
    "D-20": Difference("DescribeObservationType works by POST."),
    "D-21": Difference("All of several procedure, observedProperty and eventTime elements of a body count."),
    "D-22": Difference("result in a body may hold an ogc:Filter."),
    "D-23": Difference("AcceptVersions in a body is negotiated."),
    "D-24": Difference("A body that is an SOS request gets an OWS answer, with or without a service attribute."),
    "D-25": Difference("The exception about featureOfInterest shows the featureOfInterest."),
    "D-26": Difference("The forms of the documentation work: ows_ keys, unquoted subtypes, Or around one operand."),
    "D-27": Difference("WARNING comments stand beside what they speak of.", gather_comments),
    "D-28": Difference("resultModel is accepted with and without om:."),
    "D-29": Difference("om:Observation is kept as it is, without featureOfInterest."),
    "D-30": Difference("Coordinate lists are kept as they are, but rings, parts and holes are complete."),
    "D-31": Difference('PROJECTION "epsg:N" labels extents and geometries.', forget_labels),
    "D-32": Difference("Text after a time is refused, never evaluated."),
    "D-32b": Difference("The literal of PropertyIsLike is never part of SQL."),
    "D-33": Difference("An unreachable data source is reported."),
    "D-34": Difference("Distinct procedures come from one query."),
    "D-35": Difference("PropertyIsLike means the same on every data source."),
    "B-01": Difference(
        "Repeated parameters with different values, and unknown ones whose name resembles a known one, are rejected by "
        "name."
    ),
    "B-02": Difference("HEAD is answered like GET, without the body."),
    "B-03": Difference("Documents have no comment with a version; the line of -v is mapsos's own.", forget_version),
    "B-04": Difference("HTTP cookies are not request parameters."),
    "B-05": Difference("Malformed requests to a map that has SOS get an OWS exception instead of an HTML page."),
    "B-06": Difference(
        "sos:observedProperty carries xlink:href beside the inline phenomenon, for clients that read only that.",
        forget_property_links,
    ),
    "B-07": Difference(
        "Lines that drivers, PROJ or parsers of MapServer add to an exception's text are left out.", cut_lines
    ),
    "B-08": Difference("A version with more text after it is rejected."),
    "B-09": Difference("One unusable eventTime of a list is rejected, not dropped."),
    "B-10": Difference("srsName is accepted as URN and http form too."),
    "B-11": Difference("Documents with a DOCTYPE are rejected."),
    "B-12": Difference("An ObjectID in featureOfInterest counts; an unknown one is rejected."),
    "B-13": Difference("Forwarded headers count only from proxies that the admin names."),
    "B-14": Difference("A number compares as a number on every data source, also where the column is text (CSV)."),
    "B-15": Difference("Markup characters in the namespace URI are escaped."),
    "B-16": Difference("The error page about a map that is missing shows its name, not its path.", shorten_paths),
    "B-17": Difference("Malformed percent escapes stay as they are written."),
    "B-18": Difference("A literal of a filter is never read as the name of a column, whatever brackets it contains."),
    "B-19": Difference("White space around the text of an element of a body does not count."),
    "B-20": Difference("An empty endPosition is an open end."),
    "B-21": Difference("sos_schemas_location is read like ows_schemas_location."),
    "B-22": Difference("The corners of an envelope may have commas between their numbers."),
    "B-23": Difference("A timeitem that is not a column is reported where eventTime needs it."),
    "B-24": Difference("Arithmetic in a filter is rejected, never skipped."),
    "B-25": Difference("STATUS OFF hides the procedures of a layer no more than it hides its observations."),
    "B-26": Difference(
        "Capabilities list the operations, parameters and formats that MapServer does not have.", forget_additions
    ),
    "B-27": Difference("DescribeFeatureType, which answers link to, is answered; MapServer needs its WFS for it."),
    "B-28": Difference("Optional operations of SOS that are not supported are rejected as OperationNotSupported."),
    "B-29": Difference(
        "GetObservation answers as CSV, JSON, GeoJSON, Parquet and Arrow too; exceptions list these formats.",
        shorten_formats,
    ),
    "B-30": Difference("aggregateInterval summarizes observations by procedure and interval."),
    "B-31": Difference("GetDataAvailability returns begin, end and number of observations."),
    "B-32": Difference("Without sos_describesensor_url DescribeSensor writes SensorML, in version 1.0.1 too if asked."),
    "B-33": Difference("GetFeatureOfInterest and GetObservationById are answered."),
    "B-34": Difference(
        "GetObservation takes properties, sensors and offerings as strict capabilities name them, too: as URNs, "
        "percent-escaped, as XML names."
    ),
    "B-35": Difference(
        "Capabilities list a sensor once in each offering, however many layers have it.", list_sensors_once
    ),
    "B-36": Difference("An unknown member of a list (procedures, observed properties) is rejected by name."),
    "B-37": Difference("Date-times keep the fractions of their seconds.", cut_fractions),
    "B-38": Difference(
        "A browser (Accept with text/html) that asks for the bare address of a service, without a query, is redirected "
        "to the service's page."
    ),
    "B-39": Difference(
        "Over HTTP, a client whose address is unknown is in no allowed list, and is denied where there is a denied "
        "list."
    ),
}

EVERYWHERE = ("B-26", "D-14b")
"""Differences that every answer may have: evened out in all cases but those that name them, which show them."""

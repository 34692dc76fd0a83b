"""Errors of operations as SOS 1.0.0 reports them: codes, locators, routines and MapServer's texts."""

from __future__ import annotations

from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError, Subject
from mapsos.operations.layers.offerings import has_offering
from mapsos.ows.exceptions import OwsException
from mapsos.ows.operation import Operation
from mapsos.sos.v1.request import Handler
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Wording:
    """The report of one error.

    Attributes
    ----------
    code, locator
        exceptionCode and locator (OGC 06-121r3, clause 8).
    routine
        MapServer's routine; None for that of the operation.
    text
        MapServer's text, in which ``{names}`` are the unknown names; None for the error's own message.
    category, more
        As in `OwsException`.
    """

    code: str
    locator: str
    routine: str | None = "msSOSGetObservation"
    text: str | None = None
    category: str = "SOS server error."
    more: tuple[str, ...] = ()


_INVALID, _OTHER, _TOO_LARGE = "InvalidParameterValue", "NoApplicableCode", "ResponseExceedsSizeLimit"

WORDINGS: dict[tuple[Kind, Subject], Wording] = {
    (Kind.UNKNOWN_NAME, "offering"): Wording(
        _INVALID,
        "offering",
        text="Offering {names} not found. A layer might be disabled for this request. "
        "Check sos/ows_enable_request settings.",
    ),
    (Kind.UNKNOWN_NAME, "observed property"): Wording(
        _INVALID, "observedproperty", text="ObservedProperty {names} not found."
    ),
    (Kind.UNKNOWN_NAME, "procedure"): Wording(_INVALID, "procedure", text="Procedure {names} not found."),
    (Kind.UNKNOWN_NAME, "procedure of the data"): Wording(
        _INVALID, "procedure", "msSOSGetCapabilities", "Invalid procedure value {names}"
    ),
    (Kind.UNKNOWN_NAME, "feature"): Wording(
        _INVALID, "featureofinterest", text="FeatureOfInterest {names} not found."
    ),
    (Kind.UNKNOWN_NAME, "result"): Wording(_INVALID, "result"),
    (Kind.UNKNOWN_NAME, "CRS"): Wording(_INVALID, "srsName"),
    (Kind.UNKNOWN_NAME, "observation"): Wording(_INVALID, "ObservationId", "msSOSGetObservationById"),
    (Kind.INVALID, "aggregation interval"): Wording(_INVALID, "aggregateinterval"),
    (Kind.INVALID, "aggregation function"): Wording(_INVALID, "aggregatefunction"),
    (Kind.TOO_LARGE, "aggregation interval"): Wording(_INVALID, "aggregateinterval"),
    (Kind.TOO_LARGE, "summaries"): Wording(_TOO_LARGE, "aggregateinterval"),
    (Kind.TOO_LARGE, "time"): Wording(_TOO_LARGE, "eventTime"),
    (Kind.MISCONFIGURED, "procedure column"): Wording(_OTHER, "mapserv", "msSOSGetCapabilities"),
    (Kind.MISCONFIGURED, "procedures"): Wording(_OTHER, "mapserv", "msSOSGetCapabilities"),
    (Kind.MISCONFIGURED, "procedure of the data"): Wording(_INVALID, "procedure", "msSOSGetCapabilities"),
    (Kind.MISCONFIGURED, "time column"): Wording(_OTHER, "mapserv"),
    (Kind.MISCONFIGURED, "offered CRSs"): Wording(_OTHER, "mapserv"),
    (Kind.MISCONFIGURED, "CRS"): Wording(_OTHER, "mapserv"),
    (Kind.MISCONFIGURED, "offering extent"): Wording(_INVALID, "sos_offering_extent", "msSOSGetCapabilities"),
    (Kind.MISCONFIGURED, "offering time extent"): Wording(_INVALID, "sos_offering_timeextent", None),
    (Kind.MISCONFIGURED, "maximum rows"): Wording(_OTHER, "sos_maxrows", "msSOSDispatch"),
    (Kind.MISCONFIGURED, "sensor document"): Wording(_OTHER, "sos_describesensor", "msSOSDescribeSensor"),
    (Kind.MISCONFIGURED, "sensor template"): Wording(_OTHER, "sos_sensorml_template", "msSOSDescribeSensor"),
    (Kind.MISCONFIGURED, "sensor valid time"): Wording(_OTHER, "sos_sensor_validtime", "msSOSDescribeSensor"),
    (Kind.MISCONFIGURED, "sensor URL"): Wording(_OTHER, "mapserv", "msSOSDescribeSensor"),
    (Kind.MISSING, "sensor URL"): Wording("MissingParameterValue", "sos_describesensor_url", "msSOSDescribeSensor"),
    (Kind.MISCONFIGURED, "own URL"): Wording(
        _OTHER,
        "NoApplicableCode",
        "msOWSGetOnlineResource",
        category="CGI error.",
        more=("msBuildOnlineResource(): CGI error. Impossible to establish server URL.",),
    ),
    (Kind.UNREADABLE, "data"): Wording(_OTHER, "mapserv", "msSOSDispatch"),
}
"""The errors of GetObservation and those that all operations share."""

_OWN: dict[str, dict[tuple[Kind, Subject], Wording]] = {
    "DescribeSensor": {
        (Kind.UNKNOWN_NAME, "procedure"): Wording(
            _INVALID, "procedure", "msSOSDescribeSensor", "procedure {names} not found."
        )
    },
    "GetFeatureOfInterest": {
        (Kind.UNKNOWN_NAME, "feature"): Wording(
            _INVALID, "FeatureOfInterestId", text="FeatureOfInterest {names} not found."
        )
    },
    "GetDataAvailability": {
        (Kind.UNKNOWN_NAME, "offering"): Wording(
            _INVALID, "offering", "msSOSGetDataAvailability", "offering {names} not found."
        ),
        (Kind.UNKNOWN_NAME, "observed property"): Wording(
            _INVALID, "observedproperty", "msSOSGetDataAvailability", "observedProperty {names} not found."
        ),
    },
}
"""Errors that an operation reports differently."""

_NAMED = ("featureofinterest", "observationid", "observedproperty", "offering", "procedure", "typename")
"""The locators, in lower case, of names that were not found."""


def is_closed(error: OwsException | ServiceError, context: Context, operation: Operation[Handler]) -> bool:
    """Return whether a name could be missing because its layer needs a key, which the client does not have.

    Offerings are in the map. Other names may be in the data of layers, which are not read for such a client.
    """
    if isinstance(error, ServiceError):
        if error.kind is not Kind.UNKNOWN_NAME or error.subject in ("CRS", "result"):
            return False
    elif error.code != _INVALID or error.locator.lower() not in _NAMED:
        return False
    layers = context.closed(operation.name, writes=operation.writes) or context.closed("GetObservation")
    if isinstance(error, ServiceError) and error.subject == "offering":
        return any(has_offering(layer, error.names) for layer in layers)
    return bool(layers)


_FALLBACK = Wording(_OTHER, "mapserv", "msSOSDispatch")


def translate_error(error: ServiceError, operation: str) -> OwsException:
    """Return an error as an exception of the operation ``operation``."""
    key = (error.kind, error.subject)
    wording = _OWN.get(operation, {}).get(key) or WORDINGS.get(key, _FALLBACK)
    routine = wording.routine
    if routine is None:
        routine = "msSOSGetObservation" if operation.startswith("GetObservation") else "msSOSGetCapabilities"
    return OwsException(
        wording.code,
        wording.locator,
        routine,
        str(error) if wording.text is None else wording.text.format(names=",".join(error.names)),
        category=wording.category,
        more=wording.more,
        detail=error.detail,
        status=500 if error.kind is Kind.MISSING else error.kind.status,
    )

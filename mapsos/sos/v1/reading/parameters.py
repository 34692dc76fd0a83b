"""Check parameters, and read those with plain values (docs/mapserver-sos.md, "Requests")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from mapsos.ows.exceptions import OwsException
from mapsos.ows.operation import Operation
from mapsos.ows.raw_request import Markup, RawRequest, Value
from mapsos.terms.crs import SrsName, parse_srs_name
from mapsos.terms.names.name_lists import FindKnown, know_nothing, split_names
from mapsos.terms.names.near_names import NearMissError, TooManyNamesError, ignore_names
from mapsos.terms.urns import strip_procedure

OUTPUT_FORMATS: dict[str, Literal["1.0.0", "1.0.1"]] = {
    'text/xml; subtype="sensorML/1.0.0"': "1.0.0",
    'text/xml; subtype="sensorML/1.0.1"': "1.0.1",
}
"""The values of outputFormat in DescribeSensor, each with its version of SensorML."""

_OUTER = ("map", "mode", "conformance")
"""Parameters that every operation has."""


def check_parameters(
    raw: RawRequest,
    operation: Operation[Any],
    operations: Iterable[Operation[Any]] = (),
    vendor: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Return the names of the parameters that are ignored: those that the operation does not have.

    Parameters
    ----------
    raw
        The parameters of the request.
    operation
        The row of the operation.
    operations
        All operations: the parameters of others are ignored, whatever their names resemble.
    vendor
        Case-insensitive names of further parameters of this server, which have no effect.

    Raises
    ------
    OwsException
        InvalidParameterValue with the parameter as locator: its name is a near miss of one that the operation has, or
        it is not repeatable and has several different values.
    """
    own = tuple(parameter.name for parameter in operation.parameters)
    elsewhere = (parameter.key for row in operations for parameter in row.parameters)
    expected = {name.lower() for name in vendor}
    try:
        ignored = ignore_names((name for name in raw.values if name not in expected), (*own, *_OUTER), elsewhere)
    except NearMissError as error:
        message = f"Unknown parameter {error.name} in {operation.name}. Did you mean {error.meant}?"
        raise OwsException("InvalidParameterValue", error.name, "msSOSDispatch", message) from error
    except TooManyNamesError as error:
        raise OwsException("InvalidParameterValue", "request", "msSOSDispatch", str(error)) from error
    for parameter in operation.parameters:
        if not parameter.repeatable and _differ(raw.parts(parameter.key)):
            message = f"Parameter {parameter.key} is given more than once, with different values."
            raise OwsException("InvalidParameterValue", parameter.key, "msSOSDispatch", message)
    if operation.name == "GetCapabilities":
        _check_accept_formats(raw)
    return tuple(dict.fromkeys((*ignored, *raw.ignored)))


def parse_output_format(raw: RawRequest) -> Literal["1.0.0", "1.0.1"]:
    """Return the version of SensorML of outputFormat, ignoring white space, quotes and letter case (D-26).

    Raises
    ------
    OwsException
        outputFormat is missing or unknown (exceptions 16 and 17 of docs/mapserver-sos.md).
    """
    value = raw.last("outputformat")
    if value is None:
        raise OwsException(
            "MissingParameterValue",
            "outputformat",
            "msSOSDescribeSensor",
            "Missing mandatory parameter outputFormat.",
        )
    versions = {_bare_format(known): version for known, version in OUTPUT_FORMATS.items()}
    version = versions.get(_bare_format(value))
    if version is None:
        raise OwsException(
            "InvalidParameterValue",
            "outputformat",
            "msSOSDescribeSensor",
            f"Invalid outputformat parameter {value}.  Allowable values are: {', '.join(OUTPUT_FORMATS)}",
        )
    return version


def parse_sensor(raw: RawRequest) -> str:
    """Return the procedure of DescribeSensor as the client wrote it; ``sensorid`` is another name of it.

    Raises
    ------
    OwsException
        It is missing (exception 18 of docs/mapserver-sos.md).
    """
    values = {*raw.all("procedure"), *raw.all("sensorid")}
    if not values:
        raise OwsException(
            "MissingParameterValue", "procedure", "msSOSDescribeSensor", "Missing mandatory parameter procedure"
        )
    if len(values) > 1:
        message = "Parameter procedure is given more than once, with different values."
        raise OwsException("InvalidParameterValue", "procedure", "msSOSDescribeSensor", message)
    return values.pop()


def parse_observation_type(raw: RawRequest) -> str:
    """Return the observedProperty of DescribeObservationType.

    Raises
    ------
    OwsException
        It is missing (exception 22 of docs/mapserver-sos.md).
    """
    values = {*raw.all("observedproperty")}
    if not values:
        raise OwsException(
            "MissingParameterValue",
            "observedproperty",
            "msSOSDescribeObservationType",
            "Missing mandatory parameter observedproperty",
        )
    if len(values) > 1:
        message = "Parameter observedproperty is given more than once, with different values."
        raise OwsException("InvalidParameterValue", "observedproperty", "msSOSDescribeObservationType", message)
    return values.pop()


def parse_observation_id(raw: RawRequest) -> str:
    """Return the ObservationId of GetObservationById as the client wrote it. Raises OwsException if it is missing."""
    value = raw.last("observationid")
    if not value:
        raise OwsException(
            "MissingParameterValue",
            "ObservationId",
            "msSOSGetObservationById",
            "Missing mandatory parameter ObservationId.",
        )
    return value


def parse_feature_ids(raw: RawRequest, find_known: FindKnown = know_nothing) -> tuple[str, ...]:
    """Return the distinct values of FeatureOfInterestId in all comma-separated lists and repeats (`split_lists`)."""
    values = raw.all("featureofinterestid")
    return split_lists(values, find_known) if values else ()


def parse_offering(raw: RawRequest) -> str:
    """Return the offering as the client wrote it.

    Raises
    ------
    OwsException
        It is missing (exception 24 of docs/mapserver-sos.md).
    """
    offering = raw.last("offering")
    if offering is None:
        raise _missing("offering")
    return offering


def require_observed_properties(raw: RawRequest) -> None:
    """Check that observedProperty is there. Raises OwsException (exception 25 of docs/mapserver-sos.md)."""
    if not raw.all("observedproperty"):
        raise _missing("observedproperty")


def parse_observed_properties(raw: RawRequest, find_known: FindKnown = know_nothing) -> tuple[str, ...] | None:
    """Return the distinct observed properties in all comma-separated lists and repeats; None without the parameter."""
    values = raw.all("observedproperty")
    return split_lists(values, find_known) if values else None


def parse_offerings(raw: RawRequest, find_known: FindKnown = know_nothing) -> tuple[str, ...] | None:
    """Return the distinct offerings in all comma-separated lists and repeats; None without the parameter."""
    values = raw.all("offering")
    return split_lists(values, find_known) if values else None


def parse_procedures(raw: RawRequest, find_known: FindKnown = know_nothing) -> tuple[str, ...] | None:
    """Return the distinct procedures in all comma-separated lists and repeats; None without the parameter.

    ``urn:ogc:def:procedure:`` is removed (D-08). ``sensorid`` is not read here, as in MapServer.
    """
    values = raw.all("procedure")
    if not values:
        return None
    return tuple(dict.fromkeys(strip_procedure(name) for name in split_lists(values, find_known)))


def parse_response_format(raw: RawRequest, allowed: tuple[str, ...]) -> str:
    """Return the response format as ``allowed`` spells it, ignoring white space, quotes and letter case (D-26).

    Plus signs are ignored too, since query strings may lose them.

    Raises
    ------
    OwsException
        responseFormat is missing, or not one of ``allowed`` (exceptions 26 and 27 of docs/mapserver-sos.md).
    """
    value = raw.last("responseformat")
    if value is None:
        raise _missing("responseformat")
    wanted = _bare_format(value).replace("+", "")
    for name in allowed:
        if _bare_format(name).replace("+", "") == wanted:
            return name
    raise OwsException(
        "InvalidParameterValue",
        "responseformat",
        "msSOSGetObservation",
        f"Invalid RESPONSEFORMAT parameter {value}.  Allowable values are: {', '.join(allowed)}",
    )


def check_response_mode(raw: RawRequest) -> None:
    """Reject a responseMode other than ``inline`` (exception 28 of docs/mapserver-sos.md). Raises OwsException."""
    value = raw.last("responsemode")
    if value is not None and value.lower() != "inline":
        raise OwsException(
            "InvalidParameterValue",
            "responsemode",
            "msSOSGetObservation",
            f'Invalid RESPONSEMODE parameter {value}.  Allowable values are: "inline"',
        )


def parse_result_model(raw: RawRequest, allowed: tuple[str, ...]) -> str:
    """Return the result model as ``allowed`` spells it; with or without ``om:`` (D-28).

    The first of them is the default. Raises OwsException for an unknown result model.
    """
    value = raw.last("resultmodel")
    if value is None:
        return allowed[0]
    for name in allowed:
        if name.lower().removeprefix("om:") == value.lower().removeprefix("om:"):
            return name
    raise OwsException(
        "InvalidParameterValue",
        "resultModel",
        "msSOSGetObservation",
        f"resultModel should be {' or '.join(allowed)}",
    )


def parse_srs_name_parameter(raw: RawRequest) -> SrsName | None:
    """Return the requested CRS of the answer; None without srsName.

    Raises
    ------
    OwsException
        It is not the name of a CRS (exception 38 of docs/mapserver-sos.md).
    """
    value = raw.last("srsname")
    if value is None:
        return None
    found = parse_srs_name(value)
    if found is None:
        raise OwsException(
            "InvalidParameterValue",
            "srsName",
            "msSOSGetObservation",
            f'srsName value "{value}" unsupported / invalid',
        )
    return found


def _differ(values: tuple[Value, ...]) -> bool:
    """Return whether a parameter has several different values."""
    if len(values) < 2 or all(isinstance(value, str) for value in values):
        return len(set(values)) > 1
    first = values[0]
    return not all(isinstance(value, Markup) and isinstance(first, Markup) and value.is_same(first) for value in values)


def _check_accept_formats(raw: RawRequest) -> None:
    value = raw.last("acceptformats")
    if value is None:
        return
    bare = {entry.partition(";")[0].strip().lower() for entry in value.split(",")}
    if not bare & {"", "text/xml", "*/*", "text/*"}:
        message = f"Invalid acceptformats parameter {value}.  Allowable values are: text/xml"
        raise OwsException("InvalidParameterValue", "acceptformats", "msSOSGetCapabilities", message)


def _missing(name: str) -> OwsException:
    return OwsException("MissingParameterValue", name, "msSOSGetObservation", f"Missing {name.upper()} parameter.")


def _bare_format(value: str) -> str:
    """Return a media type in lower case without white space and without quotes around the values of its parameters."""
    return re.sub(r"=([\"'])([^\"']*)\1", r"=\2", "".join(value.split())).lower()


def split_lists(values: tuple[str, ...], find_known: FindKnown = know_nothing) -> tuple[str, ...]:
    """Return the distinct names of comma-separated lists, in order, as `split_names` does.

    ``find_known`` returns which names exist: a value with a comma, from an element too, may be one of them.
    """
    # A list without names is not a missing list: it has an id that does not exist.
    return split_names(values, find_known) or ("",)

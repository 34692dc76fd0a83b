"""DescribeSensor (docs/mapserver-sos.md, "DescribeSensor"; OGC 06-009r6, clause 8.3)."""

from __future__ import annotations

from mapsos.operations.answers import Answer
from mapsos.operations.describe_sensors import describe_sensor as describe
from mapsos.operations.questions import SensorQuestion
from mapsos.sos.v1.observation_links import ObservationLinks
from mapsos.sos.v1.reading.parameters import parse_output_format, parse_sensor
from mapsos.sos.v1.request import SosRequest

CONTENT_TYPE = "text/xml; charset=UTF-8"


def describe_sensor(request: SosRequest) -> Answer:
    """Return a redirect to the sensor's document, that document, or SensorML.

    Raises OwsException for its parameters, and ServiceError as `mapsos.operations.describe_sensors.describe_sensor`.
    """
    version = parse_output_format(request.raw)
    found = describe(request.context, read_question(request), ObservationLinks(request.context).write)
    if found.location is not None:
        return Answer(location=found.location)
    if found.file is not None:
        return Answer("text/xml", (found.file,))
    if found.document is not None:
        return Answer(CONTENT_TYPE, (found.document,))
    assert found.markup is not None
    return Answer(CONTENT_TYPE, (found.markup.write(version),))


def read_question(request: SosRequest) -> SensorQuestion:
    """Return which sensor to describe. Raises OwsException."""
    return SensorQuestion(parse_sensor(request.raw), request.strict)

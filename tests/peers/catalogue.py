"""All maps and cases of the suite, gathered from their topics."""

from __future__ import annotations

from . import (
    cases_access,
    cases_capabilities,
    cases_datablock,
    cases_environment,
    cases_exceptions,
    cases_filters,
    cases_measurement,
    cases_post,
    cases_sensors,
    cases_space,
    cases_times,
)
from .cases import Case

TOPICS = (
    cases_access,
    cases_capabilities,
    cases_datablock,
    cases_environment,
    cases_exceptions,
    cases_filters,
    cases_measurement,
    cases_post,
    cases_sensors,
    cases_space,
    cases_times,
)

MAPS: dict[str, str] = {name: text for topic in TOPICS for name, text in topic.MAPS.items()}

CASES: tuple[Case, ...] = tuple(case for topic in TOPICS for case in topic.CASES)

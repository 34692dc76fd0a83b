"""The encoders of valid O&M 1.0.0 by result model, imported together: they share most of their modules."""

from __future__ import annotations

from mapsos.encodings.strict import measurement, observation

MEASUREMENT = measurement.ENCODER
OBSERVATION = observation.ENCODER

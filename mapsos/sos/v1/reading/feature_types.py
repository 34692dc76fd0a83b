"""Read DescribeFeatureType requests of WFS 1.0 and 1.1 and of SOS 1.0.0 (OGC 04-094, clause 8; OGC 06-009r6)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.terms.urns import TRANSIENT_FEATURE

_SCHEMA_FORMATS = ("text/xml;subtype=gml/3.1.1", "xmlschema", "text/xml", "application/gml+xml;version=3.1")
WFS_VERSIONS = ("1.0.0", "1.1.0")


def check_wfs_version(raw: RawRequest) -> None:
    """Reject a WFS version other than 1.0.0 and 1.1.0. The version is optional. Raises OwsException."""
    version = raw.last("version")
    if version is not None and version.strip() not in WFS_VERSIONS:
        raise OwsException(
            "InvalidParameterValue",
            "version",
            "msWFSDispatch",
            f"VERSION {version} not supported. Supported versions are: {', '.join(WFS_VERSIONS)}.",
            category="WFS server error.",
        )


def check_schema_format(raw: RawRequest) -> None:
    """Reject an outputFormat other than GML 3.1.1, ignoring spaces, quotes and letter case. Raises OwsException."""
    value = raw.last("outputformat")
    if value is not None and re.sub(r"[\s\"']", "", value).lower() not in _SCHEMA_FORMATS:
        raise OwsException(
            "InvalidParameterValue",
            "outputformat",
            "msWFSDescribeFeatureType",
            f"Unsupported DescribeFeatureType outputFormat ({value}). Allowed are: {', '.join(_SCHEMA_FORMATS)}.",
            category="WFS server error.",
        )


def parse_type_names(raw: RawRequest) -> tuple[str, ...] | None:
    """Return the values of typename with commas unsplit; None, for every type, without values.

    An SOS request has FeatureId instead: a type name, the link in the featureOfInterest of observations, or the
    transient feature in capabilities, which stands for every type.
    """
    values = (*raw.all("typename"), *(_read_feature_id(value.strip()) for value in raw.all("featureid")))
    if any(value.lower() == TRANSIENT_FEATURE.lower() for value in values):
        return None
    return tuple(dict.fromkeys(value for value in values if value.strip(" ,"))) or None


def _read_feature_id(value: str) -> str:
    _, question, query = value.partition("?")
    if not question:
        return value
    return next((found for name, found in parse_qsl(query) if name.lower() == "typename"), value)

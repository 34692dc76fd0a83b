"""The table of all metadata keys that mapsos reads, for the reader, `mapsos check` and the documentation."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from mapsos.mapfile.model import FEATURE_TEXTS, SENSOR_TEXTS
from mapsos.terms.values import dataclass

Level = Literal["web", "layer", "item"]
Need = Literal["mandatory", "recommended", "optional"]


@dataclass(frozen=True)
class MetadataKey:
    """A metadata key (docs/mapserver-sos.md, "Service keys" and "Layer keys").

    Attributes
    ----------
    level
        ``web``: METADATA of WEB; ``layer``: METADATA of a LAYER; ``item``: METADATA of a LAYER, with the name of a
        column in the key.
    name
        The key without its namespace; at level ``item`` the part after ``sos_<item>_``.
    namespaces
        The allowed prefixes, in order of precedence.
    need
        Whether a service needs the key: to work at all, to be useful, or not.
    meaning
        One sentence for the documentation.
    default
        The value that applies if the key is absent, empty for none.
    """

    level: Level
    name: str
    need: Need
    meaning: str
    default: str = ""
    namespaces: tuple[str, ...] = ("sos", "ows")

    @property
    def pattern(self) -> str:
        """Return the key in its first namespace, as in the documentation: ``sos_title``, ``sos_<item>_alias``."""
        return f"{self.namespaces[0]}_{'<item>_' if self.level == 'item' else ''}{self.name}"

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Return the full keys in lower case, in order of precedence, with ``<item>`` as a placeholder."""
        middle = "<item>_" if self.level == "item" else ""
        return tuple(f"{namespace}_{middle}{self.name}".lower() for namespace in self.namespaces)


def _web(name: str, need: Need, meaning: str, default: str = "", namespaces: str = "sos ows") -> MetadataKey:
    return MetadataKey("web", name, need, meaning, default, tuple(namespaces.split()))


def _layer(name: str, need: Need, meaning: str, default: str = "", namespaces: str = "sos ows") -> MetadataKey:
    return MetadataKey("layer", name, need, meaning, default, tuple(namespaces.split()))


_ENABLE_REQUEST = (
    "Allowed requests, separated by spaces: names or * for all; a leading ! denies."
)
_ALLOWED_IP_LIST = "Client addresses that are allowed; all others are denied: addresses and CIDR ranges, or file:PATH."
_REQUIRE_KEY = "Requests that need an API key: none, write (those that change data) or all."
_DENIED_IP_LIST = "Client addresses that are denied: addresses and CIDR ranges, or file:PATH."

# Meanings and defaults of the keys that `SENSOR_TEXTS` and `FEATURE_TEXTS` of the model stand for.
_SENSOR_MEANINGS = {
    "name": ("Name", "the id"),
    "shortname": ("Short name", "the id"),
    "description": ("Description", ""),
    "keywords": ("Comma-separated keywords", "sos_keywordlist"),
    "classification": ("Type", ""),
    "intendedapplication": ("Intended application", "sos_offering_intendedapplication"),
}
_FEATURE_MEANINGS = {
    "name": ("Display name of the feature of interest", "the id"),
    "description": ("Description of the feature of interest", ""),
    "codespace": ("URI of the authority or register that the id of the feature of interest is from", ""),
    "sampledfeature": ("URI of the feature that the feature of interest samples, such as a river or the air", ""),
}

METADATA_KEYS: tuple[MetadataKey, ...] = (
    _web("onlineresource", "mandatory", "URL of the service, published in the capabilities as its address."),
    _web("srs", "mandatory", "CRSs that clients can request observations in: EPSG codes, separated by spaces."),
    _web("enable_request", "mandatory", _ENABLE_REQUEST),
    _web("title", "recommended", "Display name of the service."),
    _web("abstract", "optional", "Description of the service."),
    _web("keywordlist", "optional", "Keywords, separated by commas."),
    _web("fees", "optional", "Fees for using the service; none if it is free."),
    _web("accessconstraints", "optional", "Constraints on the use of the service and its data."),
    _web("updatesequence", "optional", "Version of the capabilities: an integer, a timestamp or any string."),
    _web("language", "optional",
         "Language of the pages, and the language tag of exceptions: a BCP 47 tag such as fr-CA; for pages also an "
         "ISO 639 code such as fra.", "en-US"),
    _web("contactorganization", "recommended", "The organization that provides the service."),
    _web("service_onlineresource", "optional", "URL of the provider."),
    _web("contactperson", "optional", "Name of the person to contact."),
    _web("contactposition", "optional", "Position of the person to contact."),
    _web("contactvoicetelephone", "optional", "Telephone number of the contact."),
    _web("contactfacsimiletelephone", "optional", "Fax number of the contact."),
    _web("addresstype", "optional",
         "Type of the contact's address, for example postal; not used in any SOS document."),
    _web("address", "optional", "Street address of the contact."),
    _web("city", "optional", "City of the contact."),
    _web("stateorprovince", "optional", "State or province of the contact."),
    _web("postcode", "optional", "Postal code of the contact."),
    _web("country", "optional", "Country of the contact."),
    _web("contactelectronicmailaddress", "optional", "E-mail address of the contact."),
    _web("hoursofservice", "optional", "When the contact can be reached, with the time zone."),
    _web("contactinstructions", "optional", "How or when to reach the contact."),
    _web("role", "optional", "The provider's role (ISO 19115:2003, B.5.5)."),
    _web("maxfeatures", "optional", "Maximum number of observations in a response; more are cut off."),
    _web("maxrows", "optional",
         "Maximum number of observations in a response; a request that selects more is rejected, not cut off."),
    _web("namespace_uri", "optional", "XML namespace of the elements of the observations.",
         "http://mapserver.gis.umn.edu/mapserver", "sos wfs ows"),
    _web("namespace_prefix", "optional", "Prefix of that namespace.", "ms", "sos wfs ows"),
    _web("encoding_blockSeparator", "optional", "Separator of the records of an om:Observation.", "a line feed"),
    _web("encoding_tokenSeparator", "optional", "Separator of the fields of a record of an om:Observation.", ","),
    _web("schemas_location", "optional", "Root URL of the OGC schemas that responses refer to.",
         "http://schemas.opengis.net", "ows sos"),
    _web("allowed_ip_list", "optional", _ALLOWED_IP_LIST),
    _web("denied_ip_list", "optional", _DENIED_IP_LIST),
    _web("require_key", "optional", _REQUIRE_KEY, "none"),
    _web("vendor_parameters", "optional",
         "Names of request parameters that are allowed and ignored, separated by spaces."),
    _web("conformance", "optional",
         "Form of the documents: mapserver (as MapServer writes them) or strict (valid by the OGC schemas). With both "
         "words, the first is the default, and a request can choose by its parameter conformance.", "mapserver"),
    _layer("offering_id", "mandatory", "Id of the offering of the layer; layers without it are not served."),
    _layer("observedproperty_id", "mandatory", "Id of the observed phenomenon."),
    _layer("procedure", "mandatory",
           "Ids of the sensors, separated by spaces; not needed with procedure_item."),
    _layer("procedure_item", "optional", "Column with the id of the sensor of each row."),
    _layer("describesensor_url", "optional",
           "Location of the description of a sensor: a URL that clients are redirected to, or a file next to the "
           "mapfile, which is served; %procedure% is replaced by the requested id.", "generated"),
    _layer("describesensor", "optional",
           "Source of DescribeSensor responses: redirect (to sos_describesensor_url) or generate (SensorML from the "
           "metadata and the data).", "redirect with sos_describesensor_url, else generate"),
    _layer("sensorml_template", "optional",
           "SensorML template with ${variables} that replaces the generated SensorML: a file next to the mapfile, or a "
           "folder with a file for each sensor."),
    *(
        key
        for name, (meaning, default) in ((name, _SENSOR_MEANINGS[name]) for name in SENSOR_TEXTS)
        for key in (
            _layer(f"sensor_{name}", "optional", f"{meaning} of the sensor, in SensorML and REST.", default),
            _layer(f"sensor_{name}_item", "optional", f"Column with sos_sensor_{name} of each sensor."),
        )
    ),
    _layer("sensor_validtime", "optional",
           "Validity period of the sensor description: begin/end, or begin/ for until now.",
           "sos_offering_timeextent, else from the first to the last observation"),
    *(
        key
        for name, (meaning, default) in ((name, _FEATURE_MEANINGS[name]) for name in FEATURE_TEXTS)
        for key in (
            _layer(f"feature_{name}", "optional", f"{meaning}.", default),
            _layer(f"feature_{name}_item", "optional", f"Column with sos_feature_{name} of each feature."),
        )
    ),
    _layer("timeitem", "recommended", "Column with the time of each observation."),
    _layer("offering_name", "recommended", "Display name of the offering."),
    _layer("offering_description", "optional", "Description of the offering."),
    _layer("offering_extent", "optional", "Extent of the offering: minx,miny,maxx,maxy.", "computed from the data"),
    _layer("offering_timeextent", "optional", "Time extent of the offering: begin/end, or begin/ for until now.",
           "computed from the data"),
    _layer("offering_intendedapplication", "optional", "Intended use of the offering."),
    _layer("observedproperty_name", "optional", "Display name of the phenomenon."),
    _layer("observedproperty_authority", "optional", "Authority in the URN of the phenomenon's components.", "OGC-SWE"),
    _layer("observedproperty_version", "optional", "Version in the URN of the phenomenon's components.", "1"),
    _layer("srs", "optional", "EPSG code that labels the envelopes of the layer.", "from PROJECTION"),
    _layer("featureid", "optional", "Column with the id of each row, for gml:id.", "", "ows sos gml"),
    _layer("enable_request", "optional", _ENABLE_REQUEST, "as in WEB"),
    _layer("allowed_ip_list", "optional", _ALLOWED_IP_LIST),
    _layer("denied_ip_list", "optional", _DENIED_IP_LIST),
    _layer("require_key", "optional", f"{_REQUIRE_KEY} What WEB states is the least.", "as in WEB"),
    MetadataKey("item", "alias", "recommended",
                "Name under which the column is published; columns without an alias are not published."),
    MetadataKey("item", "definition", "optional", "URN of the definition of the column.",
                "urn:ogc:object:definition"),
    MetadataKey("item", "uom", "optional", "Unit of the column's values.", "urn:ogc:object:uom"),
    MetadataKey("item", "type", "optional",
                "Type by which filters compare the column: Character (string), Date (time), Integer or Real (number).",
                "from the data and the literal in the filter", ("sos", "ows", "wfs", "gml")),
)
"""Each key, once for each level. The tables of docs/metadata.md are generated from this list."""

ITEM_PROPERTIES = tuple(key.name for key in METADATA_KEYS if key.level == "item")
"""The last parts of keys about columns: alias, definition and so on."""

_BY_NAME = {(key.level, key.name.lower()): key for key in METADATA_KEYS}


def metadata_key(level: Level, name: str) -> MetadataKey:
    """Return the key with a level and name (case-insensitive).

    Raises
    ------
    KeyError
        mapsos does not read such a key.
    """
    return _BY_NAME[level, name.lower()]

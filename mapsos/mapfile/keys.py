"""Every metadata key that mapsos reads: one table for the reader, the findings and the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["web", "layer", "item"]
Need = Literal["mandatory", "recommended", "optional"]


@dataclass(frozen=True)
class MetadataKey:
    """A metadata key (docs/mapserver-sos.md, "Service keys" and "Layer keys").

    Attributes
    ----------
    level
        ``web``: METADATA of WEB; ``layer``: METADATA of a LAYER; ``item``: the same, with a column's name in it.
    name
        The key without its namespace; at level ``item`` what follows ``sos_<item>_``.
    namespaces
        The prefixes it may have, in the order in which they are tried.
    need
        What a service without it is: no service, a poor one, or a fine one.
    meaning
        One sentence for the documentation.
    default
        What counts if it is absent, empty if nothing does.
    """

    level: Level
    name: str
    need: Need
    meaning: str
    default: str = ""
    namespaces: tuple[str, ...] = ("sos", "ows")

    @property
    def pattern(self) -> str:
        """The key as the documentation writes it, in its first namespace: ``sos_title``, ``sos_<item>_alias``."""
        return f"{self.namespaces[0]}_{'<item>_' if self.level == 'item' else ''}{self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """Each full key in lower case, in the order in which they are tried (``<item>`` left as it is)."""
        middle = "<item>_" if self.level == "item" else ""
        return tuple(f"{namespace}_{middle}{self.name}".lower() for namespace in self.namespaces)


def _web(name: str, need: Need, meaning: str, default: str = "", namespaces: str = "sos ows") -> MetadataKey:
    return MetadataKey("web", name, need, meaning, default, tuple(namespaces.split()))


def _layer(name: str, need: Need, meaning: str, default: str = "", namespaces: str = "sos ows") -> MetadataKey:
    return MetadataKey("layer", name, need, meaning, default, tuple(namespaces.split()))


_ENABLE_REQUEST = (
    "The requests that are admitted, separated by blanks: names, * for all, and either with a leading ! for none of it."
)
_ALLOWED_IP_LIST = "The only client addresses that are served: addresses and CIDR ranges, or file:PATH."
_DENIED_IP_LIST = "Client addresses that are not served: addresses and CIDR ranges, or file:PATH."

_SENSOR_TEXTS = (
    ("name", "Name", "the id"),
    ("shortname", "Short name", "the id"),
    ("description", "Description", ""),
    ("keywords", "Keywords, separated by commas,", "sos_keywordlist"),
    ("classification", "Kind", ""),
    ("intendedapplication", "Intended application", "sos_offering_intendedapplication"),
)

_FEATURE_TEXTS = (
    ("name", "Name of the feature of interest, for people", "the id"),
    ("description", "Description of the feature of interest, for people", ""),
    ("codespace", "Whom or what the id of the feature of interest is of: a URI", ""),
    ("sampledfeature", "What the feature of interest is a sample of, such as a river or the air: a URI", ""),
)

METADATA_KEYS: tuple[MetadataKey, ...] = (
    _web("onlineresource", "mandatory", "URL of the service, which capabilities tell clients to send requests to."),
    _web("srs", "mandatory", "EPSG codes that observations may be asked for in, separated by blanks."),
    _web("enable_request", "mandatory", _ENABLE_REQUEST),
    _web("title", "recommended", "Name of the service for people."),
    _web("abstract", "optional", "Description of the service for people."),
    _web("keywordlist", "optional", "Keywords, separated by commas."),
    _web("fees", "optional", "What using the service costs; the word none if nothing."),
    _web("accessconstraints", "optional", "Constraints on the use of the service and its data."),
    _web("updatesequence", "optional", "Version of the capabilities: an integer, a timestamp or any text."),
    _web("language", "optional",
         "Language of pages, and what exceptions say that theirs is: a tag of BCP 47 such as fr-CA, or for pages also "
         "a code of ISO 639 such as fra.", "en-US"),
    _web("contactorganization", "recommended", "The organization that provides the service."),
    _web("service_onlineresource", "optional", "URL of the provider."),
    _web("contactperson", "optional", "Name of the person to contact."),
    _web("contactposition", "optional", "Position of the person to contact."),
    _web("contactvoicetelephone", "optional", "Telephone number of the contact."),
    _web("contactfacsimiletelephone", "optional", "Fax number of the contact."),
    _web("addresstype", "optional",
         "Kind of the contact's address, for example postal; no document of SOS has a place for it."),
    _web("address", "optional", "Street address of the contact."),
    _web("city", "optional", "City of the contact."),
    _web("stateorprovince", "optional", "State or province of the contact."),
    _web("postcode", "optional", "Postal code of the contact."),
    _web("country", "optional", "Country of the contact."),
    _web("contactelectronicmailaddress", "optional", "E-mail address of the contact."),
    _web("hoursofservice", "optional", "When the contact can be reached, with the time zone."),
    _web("contactinstructions", "optional", "How or when to reach the contact."),
    _web("role", "optional", "The provider's role (ISO 19115:2003, B.5.5)."),
    _web("maxfeatures", "optional", "Number of observations in an answer, at most."),
    _web("maxrows", "optional",
         "Number of observations that an answer may have: one that would have more is refused, not cut."),
    _web("namespace_uri", "optional", "Namespace of the observations' own elements.",
         "http://mapserver.gis.umn.edu/mapserver", "sos wfs ows"),
    _web("namespace_prefix", "optional", "Prefix of that namespace.", "ms", "sos wfs ows"),
    _web("encoding_blockSeparator", "optional", "What separates the records of an om:Observation.", "a line feed"),
    _web("encoding_tokenSeparator", "optional", "What separates the fields of a record of an om:Observation.", ","),
    _web("schemas_location", "optional", "Root of the OGC schemas that answers refer to.",
         "http://schemas.opengis.net", "ows sos"),
    _web("allowed_ip_list", "optional", _ALLOWED_IP_LIST),
    _web("denied_ip_list", "optional", _DENIED_IP_LIST),
    _web("vendor_parameters", "optional",
         "Names of request parameters that are admitted and have no effect, separated by blanks."),
    _web("conformance", "optional",
         "What documents are like: mapserver (as MapServer writes them) or strict (valid by the schemas of OGC). With "
         "both words the first holds, and one request may choose by its parameter conformance.", "mapserver"),
    _layer("offering_id", "mandatory", "The offering that the layer belongs to; a layer without it is not served."),
    _layer("observedproperty_id", "mandatory", "Id of the phenomenon that the layer holds observations of."),
    _layer("procedure", "mandatory",
           "Ids of the sensors, separated by blanks; not needed where procedure_item is given."),
    _layer("procedure_item", "optional", "The column that holds the id of the sensor of each row."),
    _layer("describesensor_url", "optional",
           "Where the description of a sensor is: a URL that clients are sent to, or a file beside the map, which is "
           "served; %procedure% stands for the id that was asked for.", "generated"),
    _layer("describesensor", "optional",
           "How DescribeSensor answers: redirect (to sos_describesensor_url) or generate (SensorML of the metadata and "
           "the data).", "redirect where sos_describesensor_url is given"),
    _layer("sensorml_template", "optional",
           "SensorML with ${variables} in place of the generated one: a file beside the map, or a folder with a file "
           "for each sensor."),
    *(
        key
        for name, meaning, default in _SENSOR_TEXTS
        for key in (
            _layer(f"sensor_{name}", "optional", f"{meaning} of the sensor in SensorML and by REST.", default),
            _layer(f"sensor_{name}_item", "optional", f"The column that holds it for each sensor: {meaning.lower()}."),
        )
    ),
    _layer("sensor_validtime", "optional",
           "When the description of the sensor holds: begin/end, or begin/ for up to now.",
           "sos_offering_timeextent, else from the first to the last observation"),
    *(
        key
        for name, meaning, default in _FEATURE_TEXTS
        for key in (
            _layer(f"feature_{name}", "optional", f"{meaning}.", default),
            _layer(f"feature_{name}_item", "optional", f"The column with sos_feature_{name} of each."),
        )
    ),
    _layer("timeitem", "recommended", "The column that holds the time of each observation."),
    _layer("offering_name", "recommended", "Name of the offering for people."),
    _layer("offering_description", "optional", "Description of the offering for people."),
    _layer("offering_extent", "optional", "Extent of the offering: minx,miny,maxx,maxy.", "computed from the data"),
    _layer("offering_timeextent", "optional", "Time extent of the offering: begin/end, or begin/ for up to now.",
           "computed from the data"),
    _layer("offering_intendedapplication", "optional", "What the offering is meant to be used for."),
    _layer("observedproperty_name", "optional", "Name of the phenomenon for people."),
    _layer("observedproperty_authority", "optional", "Authority in the URN of the phenomenon's components.", "OGC-SWE"),
    _layer("observedproperty_version", "optional", "Version in the URN of the phenomenon's components.", "1"),
    _layer("srs", "optional", "EPSG code of the layer's envelopes.", "from PROJECTION"),
    _layer("featureid", "optional", "The column that holds the id of each row, for gml:id.", "", "ows sos gml"),
    _layer("enable_request", "optional", _ENABLE_REQUEST, "as WEB says"),
    _layer("allowed_ip_list", "optional", _ALLOWED_IP_LIST),
    _layer("denied_ip_list", "optional", _DENIED_IP_LIST),
    MetadataKey("item", "alias", "recommended", "The name that the column is given out under; without it, it is not."),
    MetadataKey("item", "definition", "optional", "URN that defines what the column holds.",
                "urn:ogc:object:definition"),
    MetadataKey("item", "uom", "optional", "Unit of the column's values.", "urn:ogc:object:uom"),
    MetadataKey("item", "type", "optional",
                "How filters compare the column: Character as text, Date as time, Integer or Real as number.",
                "from the data and the literal", ("sos", "ows", "wfs", "gml")),
)
"""Each key once a level; the tables of the documentation are made from it."""

_BY_NAME = {(key.level, key.name.lower()): key for key in METADATA_KEYS}


def metadata_key(level: Level, name: str) -> MetadataKey:
    """The key of that level and name (any case). KeyError if mapsos reads no such key."""
    return _BY_NAME[level, name.lower()]

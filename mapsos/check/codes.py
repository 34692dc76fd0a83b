"""The table of rules: a stable code for each kind of finding. docs/findings.md has a section about each.

The first digit is the subject. A code is never used for anything else, also not after its rule was removed.
"""

from __future__ import annotations

from mapsos.check.finding import FindingLevel, Rule

_rules: list[Rule] = []


def _rule(code: str, level: FindingLevel, title: str) -> Rule:
    _rules.append(Rule(code, level, title))
    return _rules[-1]


# 1xx: syntax and structure.
UNREADABLE_FILE = _rule("M101", "error", "The mapfile cannot be read")
WRONG_INCLUDE = _rule("M102", "error", "An INCLUDE cannot be followed")
OPEN_QUOTE = _rule("M103", "error", "A quote or bracket is not closed, or a character is not allowed")
MISSING_END = _rule("M104", "error", "An END is missing")
MISPLACED_WORD = _rule("M105", "error", "A word is not allowed in this block")
UNKNOWN_KEYWORD = _rule("M106", "error", "Unknown keyword")
ODD_WORDS = _rule("M107", "error", "A METADATA block has an odd number of words")
NO_MAP = _rule("M108", "error", "The file has no MAP block")
SURPLUS_END = _rule("M109", "warning", "An END too many closes MAP before its layers")
UNQUOTED_WORDS = _rule("M110", "warning", "A value of several words in METADATA has no quotes")
NOT_UTF8 = _rule("M111", "warning", "Text that is not UTF-8")
SAME_NAME = _rule("M112", "warning", "Several layers have the same NAME")
CONFIG_WITHOUT_EFFECT = _rule("M113", "info", "CONFIG has no effect")
WRONG_NUMBER = _rule("M114", "error", "A keyword that needs a number has another value")

# 2xx: METADATA of WEB, and rules about keys at both levels.
NO_OFFERING = _rule("M201", "error", "The map has no offering")
NO_ONLINE_RESOURCE = _rule("M202", "warning", "The URL of the service is not set")
NO_SRS = _rule("M203", "warning", "No CRS is offered")
MALFORMED_SRS = _rule("M204", "warning", "A word of sos_srs is not a CRS")
UNKNOWN_SRS = _rule("M205", "error", "PROJ does not know a CRS of sos_srs")
NOTHING_ENABLED = _rule("M206", "error", "No request is enabled")
UNKNOWN_REQUEST = _rule("M207", "warning", "sos_enable_request names an unknown request")
NOT_RECOMMENDED = _rule("M208", "warning", "A recommended key of WEB is missing")
INCOMPLETE_GROUP = _rule("M209", "info", "Keys that belong together are incomplete")
WRONG_LIMIT = _rule("M210", "error", "A limit is not an integer")
WRONG_CONFORMANCE = _rule("M211", "error", "Unknown conformance")
WRONG_LANGUAGE = _rule("M212", "warning", "The language is not a language tag")
UNTRANSLATED = _rule("M213", "info", "Pages are not translated into the language")
WRONG_ADDRESSES = _rule("M214", "error", "A list of addresses cannot be read")
UNKNOWN_KEY = _rule("M215", "warning", "Unknown metadata key")
WRONG_LEVEL = _rule("M216", "warning", "A metadata key is in the wrong block")
DUPLICATE_KEY = _rule("M217", "warning", "A metadata key occurs twice")

# 3xx: METADATA of LAYER.
NOT_SERVED = _rule("M301", "warning", "A layer with SOS metadata has no offering")
EMPTY_OFFERING = _rule("M302", "error", "The id of the offering is empty")
OFFERING_NAME = _rule("M303", "info", "The id of the offering is not an XML name")
NO_OBSERVED_PROPERTY = _rule("M304", "error", "The layer has no observed property")
NO_PROCEDURE = _rule("M305", "error", "The layer has no procedure")
PROCEDURES_WITHOUT_COLUMN = _rule("M306", "warning", "Several procedures without a column that tells them apart")
EMPTY_PROCEDURE = _rule("M307", "warning", "The list of procedures has an empty item")
WRONG_DESCRIBE_SENSOR = _rule("M308", "error", "sos_describesensor has another value, or nowhere to redirect to")
WRONG_VALID_TIME = _rule("M309", "error", "The validity of the sensor description is not a period")
LAYER_KEY_MISSING = _rule("M310", "warning", "A recommended key of the layer is missing")
WRONG_EXTENT = _rule("M311", "error", "The extent of the offering is not a rectangle")
WRONG_TIME_EXTENT = _rule("M312", "error", "The time extent of the offering is not a period")
MALFORMED_LAYER_SRS = _rule("M313", "warning", "sos_srs of the layer is not a CRS")
UNKNOWN_LAYER_SRS = _rule("M314", "warning", "PROJ does not know sos_srs of the layer")
FIELD_WITHOUT_ALIAS = _rule("M315", "info", "A column is described but has no alias")
ALIAS_NAME = _rule("M316", "warning", "An alias is not an XML name")
SAME_ALIAS = _rule("M317", "warning", "Two columns have the same alias")
OWN_RULES = _rule("M318", "warning", "The address lists of WEB do not apply to the layer")
ITEMS_OF_WFS = _rule("M319", "warning", "Columns are selected by keys of WFS")

# 4xx: the data source.
WRONG_SOURCE = _rule("M401", "error", "The connection is not supported or incomplete")
NO_DATA = _rule("M402", "error", "The layer has no DATA")
UNREADABLE_SOURCE = _rule("M403", "error", "The data source cannot be opened")
UNREADABLE_DATA = _rule("M404", "error", "DATA cannot be read from the data source")
WRONG_TYPE = _rule("M405", "error", "TYPE is not a type of observations")
NO_TYPE = _rule("M406", "warning", "TYPE is missing")
WRONG_FILTER = _rule("M407", "error", "FILTER is not supported")
FILTER_WITHOUT_ITEM = _rule("M408", "error", "FILTER without FILTERITEM selects nothing")
NOT_REPLACED = _rule("M409", "warning", "%name% is not replaced")
PROCESSING_WITHOUT_EFFECT = _rule("M410", "info", "PROCESSING has no effect")
KEYWORD_WITHOUT_EFFECT = _rule("M411", "info", "A keyword has no effect on observations")
BLOCK_WITHOUT_EFFECT = _rule("M412", "warning", "CLUSTER or JOIN has no effect")
STATUS_OFF = _rule("M413", "info", "STATUS OFF does not hide the layer")
OPTIONS_WITHOUT_EFFECT = _rule("M414", "warning", "CONNECTIONOPTIONS have no effect")
UNKNOWN_OPTION = _rule("M415", "warning", "The driver does not know an option")

# 5xx: columns, values and times. M520 to M549 are those of values.
NO_TIME_COLUMN = _rule("M501", "error", "The column of times does not exist")
NO_PROCEDURE_COLUMN = _rule("M502", "error", "The column of procedures does not exist")
NO_COLUMN = _rule("M503", "warning", "A column that the metadata name does not exist")
NO_FIELD = _rule("M504", "warning", "A key is about a column that does not exist")
UNPUBLISHED_COLUMNS = _rule("M505", "info", "Columns are not published")
NOTHING_PUBLISHED = _rule("M506", "warning", "No column is published")
NO_TIMES = _rule("M507", "warning", "No value of the column of times is a time")
NO_ROWS = _rule("M508", "warning", "The layer has no rows")
NO_PROCEDURES = _rule("M509", "error", "The layer has no rows, from which capabilities list procedures")
ROWS_WITHOUT_PROCEDURE = _rule("M510", "warning", "Some rows have no procedure")
UNLISTED_PROCEDURES = _rule("M511", "warning", "The data have procedures that are not listed")
ABSENT_PROCEDURES = _rule("M512", "warning", "Listed procedures are not in the data")
NO_POSITIONS = _rule("M513", "warning", "No row of a layer of points has a position")
DATA_NOT_UTF8 = _rule("M514", "warning", "The data are not UTF-8, and the layer has no ENCODING")
NUMERIC_TEXT = _rule("M515", "warning", "A column of numbers is text")
NOT_NUMBERS = _rule("M516", "warning", "A column of numbers has other values, which are missing in answers")
FALSE_NUMBERS = _rule("M517", "warning", "A column of numbers has other values, which become numbers")
UNREAD_TIMES = _rule("M518", "warning", "Some values of the column of times are not times")
KEYS_WITHOUT_STORE = _rule("M520", "error", "The map needs API keys, and the server has none")
UNKNOWN_KEY_LEVEL = _rule("M521", "error", "Unknown word for the requests that need an API key")
STORE_OPEN = _rule("M522", "warning", "Others can read or write the store of API keys")

# 6xx: CRSs and extents.
NO_PROJECTION = _rule("M601", "warning", "The layer has no PROJECTION")
UNKNOWN_PROJECTION = _rule("M602", "error", "PROJ does not know the PROJECTION")
WRONG_PROJECTION = _rule("M603", "error", "PROJECTION is not a projection")
EXTENT_EXCEEDED = _rule("M604", "warning", "The data exceed the extent of the offering")
MAP_EXTENT_EXCEEDED = _rule("M605", "warning", "Some data are outside the EXTENT of the map")
MAP_EXTENT_MISSED = _rule("M606", "error", "All data are outside the EXTENT of the map")
TIME_EXTENT_EXCEEDED = _rule("M607", "warning", "The times exceed the time extent of the offering")
NOT_IN_DEGREES = _rule("M608", "warning", "The coordinates are not degrees, but the CRS is in degrees")
IN_DEGREES = _rule("M609", "warning", "The coordinates look like degrees, but the CRS is not in degrees")

# 7xx: speed.
NO_INDEX = _rule("M701", "info", "The table has no index of procedures and times")
NO_TIME_INDEX = _rule("M702", "info", "The table has no index of times")
NO_SPATIAL_INDEX = _rule("M703", "info", "The table has no spatial index")

# 9xx: MapServer's schema.
NOT_IN_SCHEMA = _rule("M901", "warning", "MapServer does not allow a keyword")
MISSING_IN_SCHEMA = _rule("M902", "warning", "MapServer rejects a block without a keyword")
VALUE_NOT_IN_SCHEMA = _rule("M903", "warning", "MapServer does not allow a value")
SCHEMA_NOT_APPLIED = _rule("M904", "info", "The schema cannot be applied")

RULES = tuple(_rules)
"""All rules, in the order of their codes."""

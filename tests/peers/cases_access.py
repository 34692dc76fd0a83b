"""enable_request and address lists (docs/mapserver-sos.md, "Access")."""

from __future__ import annotations

from .cases import Case, Expectation, capabilities, kvp, observations, sensor
from .expectations import any_exception, members
from .mapfiles import layer, mapfile


def web(sos: str | None, ows: str | None = None, *layers: str) -> str:
    return mapfile(*(layers or (layer(),)), web={"sos_enable_request": sos, "ows_enable_request": ows})


def level(sos: str | None, ows: str | None = None) -> str:
    return layer({"sos_enable_request": sos, "ows_enable_request": ows})


RULES: dict[str, str] = {
    "none": web(None),
    "empty": web(""),
    "star": web("*"),
    "ows_star": web(None, "*"),
    "caps": web("GetCapabilities"),
    "caps_lower": web("getcapabilities GETOBSERVATION"),
    "comma": web("GetCapabilities,GetObservation"),
    "but": web("* !GetObservation"),
    "but_first": web("!GetObservation *"),
    "not_star": web("!*"),
    "not_star_but": web("!* GetObservation"),
    "sos_wins": web("!GetObservation", "*"),
    "sos_silent": web("GetCapabilities", "GetObservation"),
    "layer_on": web(None, None, level("*")),
    "layer_on_ows": web(None, None, level(None, "*")),
    "layer_over_web": web("!*", None, level("GetCapabilities GetObservation")),
    "layer_off": web("*", None, level("!*")),
    "layer_off_one": web("*", None, level("!GetObservation")),
    "layer_off_ows": web("*", None, level(None, "!GetObservation")),
    "layer_sos_first": web("*", None, level("GetObservation", "!GetObservation")),
    "unknown": web("* Nonsense"),
    "no_caps": web("* !GetCapabilities"),
    "sensors": web("DescribeSensor GetCapabilities"),
}

MAPS: dict[str, str] = {
    **{f"access_{name}": text for name, text in RULES.items()},
    "access_one_of_two": mapfile(
        layer({"sos_enable_request": "!GetCapabilities"}), layer({"sos_offering_id": "off2"}, name="l2")
    ),
    "access_sibling": mapfile(
        layer({"sos_ID_alias": "id"}), layer({"sos_enable_request": "!GetObservation", "sos_ID_alias": "id"}, name="l2")
    ),
    "access_allowed": mapfile(layer(), web={"sos_allowed_ip_list": "192.0.2.7 10.1.0.0/16 2001:db8::/32"}),
    "access_denied": mapfile(layer(), web={"ows_denied_ip_list": "192.0.2.7 10.1.0.0/16"}),
    "access_both_lists": mapfile(
        layer(), web={"sos_allowed_ip_list": "10.0.0.0/8", "sos_denied_ip_list": "10.1.0.0/16"}
    ),
    "access_layer_list": mapfile(
        layer({"sos_allowed_ip_list": "192.0.2.7"}), layer({"sos_offering_id": "off2"}, name="l2")
    ),
    "access_file": mapfile(layer(), web={"sos_allowed_ip_list": "file:{root}/maps/addresses.txt"}),
}

HAS_CAPABILITIES = {
    name for name in RULES if name not in ("none", "empty", "comma", "not_star", "not_star_but", "layer_off", "no_caps")
}


def case(
    id: str, map: str, query: str, *differs: str, address: str | None = None, expects: tuple[Expectation, ...] = ()
) -> Case:
    return Case(id, map, query, environ={"REMOTE_ADDR": address}, differs=differs, expects=expects)


CASES: list[Case] = [
    *(
        case(f"access-caps-{name}", f"access_{name}", capabilities(), *(("B-06",) if name in HAS_CAPABILITIES else ()))
        for name in RULES
    ),
    *(case(f"access-observation-{name}", f"access_{name}", observations()) for name in RULES),
    *(
        case(f"access-sensor-{name}", f"access_{name}", sensor(procedure="urn:ogc:def:procedure:S1"))
        for name in ("star", "caps", "sensors", "but", "layer_off")
    ),
    case("access-unknown", "access_unknown", kvp(service="SOS", version="1.0.0", request="Nonsense")),
    case("access-one-of-two", "access_one_of_two", capabilities(), "B-06"),
    case("access-sibling", "access_sibling", observations(), "D-10", expects=(members(5),)),
    *(
        case(f"access-allowed-{number}", "access_allowed", observations(), address=address)
        for number, address in enumerate(
            (None, "192.0.2.7", "192.0.2.8", "10.1.200.3", "10.2.0.1", "2001:db8::5", "::1")
        )
    ),
    *(
        case(f"access-denied-{number}", "access_denied", observations(), address=address)
        for number, address in enumerate((None, "192.0.2.7", "192.0.2.8", "10.1.200.3"))
    ),
    *(
        case(f"access-both-lists-{number}", "access_both_lists", observations(), address=address)
        for number, address in enumerate(("10.1.2.3", "10.2.2.3", "11.0.0.1"))
    ),
    case("access-layer-list-caps", "access_layer_list", capabilities(), "B-06", address="192.0.2.8"),
    case("access-layer-list", "access_layer_list", observations(), address="192.0.2.8"),
    case("access-layer-list-in", "access_layer_list", observations(), address="192.0.2.7"),
    case("access-no-address-allowed", "access_allowed", observations(), address=""),
    case("access-no-address-denied", "access_denied", observations(), "B-39", address="", expects=(any_exception,)),
    case("access-file-in", "access_file", observations(), address="10.1.2.3"),
    case("access-file-out", "access_file", observations(), address="10.2.2.3"),
]

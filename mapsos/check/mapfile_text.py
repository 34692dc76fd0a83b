"""Check the text of a mapfile, without opening its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from mapsos.check import codes
from mapsos.check.failures import find_swallowed, follow_blocks
from mapsos.check.finding import Finding, Rule, locate
from mapsos.check.layer_text import check_layers, suggest_projection
from mapsos.check.metadata_keys import check_keys
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.keys import metadata_key
from mapsos.mapfile.model import CONFORMANCES, Service, read_max_rows
from mapsos.mapfile.reader import ParsedMap, web_metadata
from mapsos.mapfile.tokens import Token, TokenKind, is_decoded, stream_tokens
from mapsos.pages.wording import find_wording, list_languages, read_tag
from mapsos.terms.crs import is_known, parse_srs_name

_TOGETHER = (
    ("addresstype", "address", "city", "stateorprovince", "postcode", "country"),
    ("contactperson", "contactposition", "contactorganization"),
)


def find_in_mapfile(parsed: ParsedMap) -> list[Finding]:
    """Return all findings about the text of a mapfile, in order of file and line. Does not raise."""
    service, tree, steps = parsed.service, parsed.tree, tuple(follow_blocks(parsed.tokens))
    found = [
        *_check_web(service, tree),
        *_check_language(service, tree),
        *check_layers(service, tree),
        *_check_words(parsed.tokens),
        *find_swallowed(steps),
        *_check_end(parsed.tokens, service),
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.file, finding.line))


def _check_web(service: Service, tree: Block) -> Iterator[Finding]:
    web = web_metadata(tree)
    here = next(tree.inner("web"), tree)

    def at(rule: Rule, name: str, message: str) -> Finding:
        return locate("web", service.keys, name, here, rule, message)

    if not service.layers:
        message = "no LAYER has an offering, so every request is rejected. Write it in the METADATA of the layers"
        yield Finding(tree.file, tree.line, codes.NO_OFFERING, "sos_offering_id", message)
    if not service.online_resource:
        message = "not set, so capabilities contain a URL guessed from the request. Write the public URL"
        yield at(codes.NO_ONLINE_RESOURCE, "onlineresource", message)
    if not service.srs:
        message = (
            f"not set, so requests with srsName are rejected and capabilities list no CRS. Write for example "
            f'"{suggest_projection(service).upper()}"'
        )
        yield at(codes.NO_SRS, "srs", message)
    for word in service.srs or ():
        name = parse_srs_name(word)
        if name is None:
            message = f'"{word}" is not a CRS. Write EPSG codes such as "EPSG:4326", separated by one space'
            yield at(codes.MALFORMED_SRS, "srs", message)
        elif not is_known(name.label):
            message = (
                f"{word} does not exist in PROJ's database, but capabilities offer it, and every request for it is "
                "rejected. Correct or remove the code"
            )
            yield at(codes.UNKNOWN_SRS, "srs", message)
    levels = [service.access, *(layer.access for layer in service.layers)]
    if not any(rule for level in levels for rule in level.enable_request):
        message = 'no request is enabled, so every request is rejected. Write "sos_enable_request" "*"'
        yield at(codes.NOTHING_ENABLED, "enable_request", message)
    for names in _TOGETHER:
        missing = [name for name in names if web.find(name) is None]
        # The organization is recommended by itself: it does not require a person.
        given = [name for name in names if name not in (*missing, "contactorganization")]
        if missing and given:
            message = f"other keys of the group are missing: {', '.join(f'sos_{name}' for name in missing)}"
            yield at(codes.INCOMPLETE_GROUP, given[0], message)
    limit = service.max_features
    if limit is not None and not (limit.strip().isascii() and limit.strip().isdigit()):
        yield at(codes.WRONG_LIMIT, "maxfeatures", f'expected an integer, got "{limit}"')
    try:
        read_max_rows(service)
    except ValueError:
        yield at(codes.WRONG_LIMIT, "maxrows", f'expected an integer above 0, got "{service.max_rows}"')
    for word in service.conformance:
        if word not in CONFORMANCES:
            message = (
                f'requests are rejected: expected {" or ".join(CONFORMANCES)}, got "{word}". Write one of them, or '
                "both separated by a space"
            )
            yield at(codes.WRONG_CONFORMANCE, "conformance", message)
    blocks = [block for web_block in tree.inner("web") for block in web_block.inner("metadata")]
    yield from check_keys(web, blocks, here, service.file)
    if service.crs is not None and not is_known(service.crs.definition):
        attribute = tree.last("projection") or tree
        message = f'unknown to PROJ: "{service.crs.definition}". Requests that need the CRS fail'
        yield Finding(attribute.file, attribute.line, codes.UNKNOWN_PROJECTION, "PROJECTION", message)
    for attribute in tree.attributes:
        if attribute.key == "config":
            message = "has no effect. Set it in the ENV block of the configuration file"
            yield Finding(
                attribute.file, attribute.line, codes.CONFIG_WITHOUT_EFFECT, f"CONFIG {attribute.text}", message
            )


def _check_language(service: Service, tree: Block) -> Iterator[Finding]:
    """Yield a finding if pages cannot be in the language of the service."""
    if not any(key in service.keys for key in metadata_key("web", "language").spellings):
        return
    tag = read_tag(service.language)
    if tag is None:
        message = (
            f'"{service.language}" is not a language tag: pages are in English. Write a tag of BCP 47, for example '
            '"de" or "fr-CA"'
        )
        yield locate("web", service.keys, "language", tree, codes.WRONG_LANGUAGE, message)
    elif find_wording(tag) is None:
        languages = ", ".join(list_languages())
        message = f'pages are not translated into "{service.language}" and are in English; available: {languages}'
        yield locate("web", service.keys, "language", tree, codes.UNTRANSLATED, message)


def _check_words(tokens: Sequence[Token]) -> Iterator[Finding]:
    """Yield findings about words that are not UTF-8, and about values in METADATA that are several words."""
    inside, count = False, 0
    key = value = None
    for token in tokens:
        if not is_decoded(token.text):
            message = "not UTF-8: read by ENCODING, else as Latin-1. Save the file as UTF-8"
            shown = token.text.encode("ascii", "replace").decode()
            yield Finding(token.file, token.line, codes.NOT_UTF8, shown, message)
        if not inside:
            inside, count = token.is_word("metadata"), 0
        elif token.is_word("end"):
            inside = False
        elif count % 2:
            value = token
            count += 1
        else:
            # A key in the line of the key before, neither in quotes: "title" my gauges.
            same_line = value is not None and count and (token.file, token.line) == (value.file, value.line)
            if same_line and key is not None and value is not None and _is_plain(value) and _is_plain(token):
                message = (
                    f'the value is "{value.text}" alone, and "{token.text}" is taken for the next key. Put the whole '
                    "value in quotes"
                )
                yield Finding(token.file, token.line, codes.UNQUOTED_WORDS, key.text, message)
            key = token
            count += 1


def _is_plain(token: Token) -> bool:
    return token.kind is TokenKind.WORD and not token.text.lower().startswith(("sos_", "ows_", "wms_", "wfs_", "gml_"))


def _check_end(tokens: Sequence[Token], service: Service) -> Iterator[Finding]:
    """Yield a finding if layers stand behind the END of MAP, where they are not read."""
    if service.layers or not tokens:
        return
    end = tokens[-1]
    layer = next((token for token in _read_rest(service.file, len(tokens)) if token.is_word("layer")), None)
    if layer is not None:
        message = (
            f"closes MAP, so LAYER in line {layer.line} and everything behind it are not read: the blocks before have "
            "an END too many. Remove it"
        )
        yield Finding(end.file, end.line, codes.SURPLUS_END, "END", message)


def _read_rest(file: str, known: int) -> Iterator[Token]:
    """Yield the words behind the first ``known`` ones of a map, as far as they can be read."""
    with suppress(MapfileError):
        yield from islice(stream_tokens(file, {}), known, None)

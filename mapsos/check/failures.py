"""Explain mapfiles that cannot be read: which block is open, where it begins, and where its END is probably missing."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from mapsos.check import codes
from mapsos.check.finding import Finding, Rule
from mapsos.check.formats import write_line
from mapsos.mapfile.blocks import KEYWORDS, OPENERS, PAIRS
from mapsos.mapfile.errors import Fault, MapfileError
from mapsos.mapfile.tokens import Token, TokenKind, read_tokens, split_text
from mapsos.terms.values import dataclass

_RULES: dict[Fault, Rule] = {
    "file": codes.UNREADABLE_FILE,
    "include": codes.WRONG_INCLUDE,
    "word": codes.OPEN_QUOTE,
    "end": codes.MISSING_END,
    "place": codes.MISPLACED_WORD,
    "keyword": codes.UNKNOWN_KEYWORD,
    "pairs": codes.ODD_WORDS,
    "map": codes.NO_MAP,
    "source": codes.WRONG_SOURCE,
    "type": codes.WRONG_TYPE,
    "projection": codes.WRONG_PROJECTION,
    "filter": codes.WRONG_FILTER,
    "number": codes.WRONG_NUMBER,
}
_STRUCTURE = ("end", "place", "keyword", "pairs", "projection")
_WITH_VALUES = frozenset(("map", "web", "layer", "feature", "cluster", "join"))
"""Blocks whose keywords are read with their values, which can be spelled like the beginning of a block."""

_STRINGS = frozenset(("metadata", "connectionoptions", "projection"))
"""Blocks of strings. VALIDATION is left out: its keys are often keywords."""

_DRAWN = frozenset(("class", "style", "label", "leader", "symbol", "legend", "scalebar", "querymap", "reference"))
"""Blocks about drawing, which are passed over up to their END."""

_OF_LAYER = frozenset(
    (
        "layer class projection connection connectiontype connectionoptions data processing tileindex filteritem web "
        "outputformat cluster join feature"
    ).split()
)
"""Words that only MAP and LAYER can contain."""

_INNER = frozenset().union(*(names for name, names in OPENERS.items() if name))


@dataclass(frozen=True)
class Step:
    """A word of a mapfile, and the blocks that are open before it, the outermost first.

    ``closes`` is the first word of the block that it ends, if it is an END.
    """

    token: Token
    opened: tuple[Token, ...]
    closes: Token | None = None


def explain_failure(error: MapfileError) -> Finding:
    """Return the finding about a mapfile that cannot be read.

    The error is that of `mapsos.mapfile.reader.parse_map`; the files are read again if it is about their structure.
    """
    rule, key = _RULES[error.fault], error.near or "mapfile"
    plain = Finding(error.file, error.line, rule, key, error.message)
    if error.fault == "word":
        return _explain_quote(error, plain)
    if error.fault not in _STRUCTURE or not error.identities:
        return plain
    try:
        tokens = read_tokens(error.identities[0].path)[0]
    except MapfileError:
        return plain  # It has changed meanwhile.
    steps = list(follow_blocks(tokens))
    if swallowed := next(find_swallowed(steps), None):
        return swallowed
    if error.fault == "end":
        return _explain_end(error, plain, steps)
    if error.fault == "pairs":
        return _explain_pairs(error, plain, steps)
    return _explain_word(error, plain, steps) if error.fault != "projection" else plain


def find_swallowed(steps: Sequence[Step]) -> Iterator[Finding]:
    """Yield a finding for each block without END that has taken a keyword for a string, or has passed over it.

    A keyword begins a line and has no quotes.
    """
    reported: set[int] = set()
    words: Counter[int] = Counter()
    for before, step in pairwise(steps):
        token, block = step.token, step.opened[-1] if step.opened else None
        if block is None or id(block) in reported or not block.is_word(*_STRINGS, *_DRAWN):
            continue
        words[id(block)] += 1
        if words[id(block)] % 2 == 0 and block.text.lower() in PAIRS:
            continue
        begins_line = (token.file, token.line) != (before.token.file, before.token.line)
        foreign = KEYWORDS | _INNER if block.is_word(*_STRINGS) else _OF_LAYER - OPENERS.get(block.text.lower(), set())
        if begins_line and token.is_word(*foreign):
            reported.add(id(block))
            taken = "taken for a string of" if block.is_word(*_STRINGS) else "passed over by"
            message = (
                f"{token.text} is {taken} {_name(block)}, which begins in line {block.line}: an END is "
                f"missing before line {token.line}"
            )
            yield Finding(token.file, token.line, codes.MISSING_END, _name(token), message)


def write_failure(error: MapfileError) -> str:
    """Return the line that `mapsos check` prints about a mapfile that cannot be served."""
    return write_line(explain_failure(error))


def follow_blocks(tokens: Iterable[Token]) -> Iterator[Step]:
    """Yield the words up to the END of MAP with the blocks that each is in.

    A word that is not allowed is passed over, so that the blocks before it are right.
    """
    opened: list[Token] = []
    stream = iter(tokens)
    for token in stream:
        block = opened[-1].text.lower() if opened else ""
        if token.is_word("end"):
            yield Step(token, tuple(opened), opened[-1] if opened else None)
            if opened:
                opened.pop()
            if not opened:
                return
            continue
        yield Step(token, tuple(opened))
        if token.is_word(*OPENERS.get(block, ())):
            opened.append(token)
        elif block in _WITH_VALUES and token.kind is TokenKind.WORD and token.text.lower() in KEYWORDS - _INNER:
            for _ in range(2 if token.is_word("config") else 1):
                value = next(stream, None)
                if value is not None:
                    yield Step(value, tuple(opened))


def _explain_end(error: MapfileError, plain: Finding, steps: Sequence[Step]) -> Finding:
    """Name the block that is open where the file ends, or the one whose END closes an outer one."""
    if not steps or not steps[0].token.is_word(*OPENERS[""]):
        return plain
    last = steps[-1]
    opened = [*last.opened]
    if last.closes is not None:
        opened.pop()
    elif last.token.is_word(*OPENERS.get(opened[-1].text.lower() if opened else "", ())):
        opened.append(last.token)
    if not opened:
        return plain
    innermost = opened[-1]
    within = "".join(f", in {_name(token)} of line {token.line}" for token in reversed(opened[:-1]))
    message = f"the file ends within {_name(innermost)}, which begins in line {innermost.line}{within}: "
    suspect = _find_suspect(steps)
    if suspect is None:
        message += f"{'an END is' if len(opened) == 1 else f'{len(opened)} ENDs are'} missing"
        return Finding(innermost.file, innermost.line, plain.rule, _name(innermost), message)
    message += _accuse(suspect)
    return Finding(suspect[0].file, suspect[0].line, plain.rule, _name(suspect[0]), message)


def _explain_word(error: MapfileError, plain: Finding, steps: Sequence[Step]) -> Finding:
    """Say in which block a word is not allowed, and what is probably missing before it."""
    places = [
        number
        for number, step in enumerate(steps)
        if (step.token.file, step.token.line, step.token.text) == (error.file, error.line, error.near)
    ]
    if not places:
        return plain
    number = places[-1]
    token, opened = steps[number].token, steps[number].opened
    if not opened or "no value" in error.message:
        return plain
    block = opened[-1]
    where = f"{_name(block)}, which begins in line {block.line}"
    outer = next((one for one in reversed(opened[:-1]) if _is_at_home(token, one)), None)
    if outer is not None:
        suspect = _find_suspect(steps[:number])
        hint = f" ({_accuse(suspect)})" if suspect else ""
        message = f"{_name(token)} is not allowed in {where}: an END is missing before line {token.line}{hint}"
        return Finding(token.file, token.line, codes.MISSING_END, _name(token), message)
    before = steps[number - 1].token
    if number > 1 and before.is_word(*KEYWORDS) and (keyword := steps[number - 2].token).is_word(*KEYWORDS - _INNER):
        message = f"{_name(keyword)} has no value, and takes {before.text} in line {before.line} for it"
        return Finding(keyword.file, keyword.line, codes.MISPLACED_WORD, _name(keyword), message)
    if before.line == token.line and before.file == token.file and _is_plain(before) and _is_plain(token):
        keyword = steps[number - 2].token if number > 1 else before
        if keyword.line == token.line and keyword.text.lower() in KEYWORDS and keyword.kind is TokenKind.WORD:
            message = (
                f'{token.text} is not a keyword of {where}: the value of {_name(keyword)} is "{before.text}" alone. '
                f'A value of several words needs quotes: {_name(keyword)} "{before.text} {token.text}"'
            )
            return Finding(token.file, token.line, plain.rule, token.text, message)
    near = difflib.get_close_matches(token.text.lower(), sorted(KEYWORDS | OPENERS.get(block.text.lower(), set())), 1)
    hint = f". Did you mean {near[0].upper()}?" if near and near[0] != token.text.lower() else ""
    known = "not allowed" if plain.rule is codes.MISPLACED_WORD else "not a keyword"
    return Finding(token.file, token.line, plain.rule, plain.key, f"{token.text} is {known} in {where}{hint}")


def _explain_pairs(error: MapfileError, plain: Finding, steps: Sequence[Step]) -> Finding:
    """Find the line that makes the number of words in a block of pairs odd."""
    end = next(
        (
            step
            for step in steps
            if step.closes is not None
            and (step.token.file, step.token.line) == (error.file, error.line)
            and step.closes.text.lower() in PAIRS
        ),
        None,
    )
    if end is None or end.closes is None:
        return plain
    block = end.closes
    words = [step.token for step in steps if step.opened and step.opened[-1] is block and step is not end]
    lines: dict[tuple[str, int], list[Token]] = {}
    for word in words:
        lines.setdefault((word.file, word.line), []).append(word)
    odd = next((found for found in lines.values() if len(found) % 2), [])
    message = f"{_name(block)}, which begins in line {block.line}, has an odd number of words: "
    if broken := next((word for word in words if "\n" in word.text), None):
        message += f"the string that begins in line {broken.line} has a line end in it, so a quote is probably missing"
        return Finding(broken.file, broken.line, plain.rule, _name(block), message)
    if not odd:
        return Finding(block.file, block.line, plain.rule, _name(block), f"{message}each key needs a value")
    first = odd[0]
    if len(odd) == 1:
        message += f'"{first.text}" in line {first.line} has no value'
    else:
        value = " ".join(word.text for word in odd[1:])
        message += f'line {first.line} has {len(odd)}. A value of several words needs quotes: "{first.text}" "{value}"'
    return Finding(first.file, first.line, plain.rule, _name(block), message)


def _explain_quote(error: MapfileError, plain: Finding) -> Finding:
    """Say where a string runs over the end of its line: its quote, not the last one, is probably missing."""
    try:
        with open(error.file, "rb") as file:
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return plain
    try:
        for token in split_text(text, error.file):
            if token.kind is TokenKind.STRING and "\n" in token.text:
                message = (
                    f"{plain.message}. The string that begins in line {token.line} has a line end in it: is its "
                    "closing quote missing?"
                )
                return Finding(token.file, token.line, plain.rule, plain.key, message)
    except MapfileError:
        pass
    return plain


def _find_suspect(steps: Sequence[Step]) -> tuple[Token, Token] | None:
    """Return the first block whose END is indented less than its beginning, and that END: it is that of another."""
    indents: dict[str, list[int | None]] = {}
    first_of_line = {(step.token.file, step.token.line): step.token for step in reversed(steps)}
    for step in steps:
        opener, end = step.closes, step.token
        if opener is None or opener.file != end.file or opener.line == end.line:
            continue
        if not all(first_of_line[token.file, token.line] is token for token in (opener, end)):
            continue
        if end.file not in indents:
            indents[end.file] = _measure(end.file)
        begins, ends = (indents[end.file][token.line - 1] for token in (opener, end))
        if begins is not None and ends is not None and ends < begins:
            return opener, end
    return None


def _measure(path: str) -> list[int | None]:
    """Return the indentation of each line of a file, None for lines that mix tabs and spaces."""
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    spaces = [line[: len(line) - len(line.lstrip())] for line in lines]
    return [None if b" " in space and b"\t" in space else len(space) for space in spaces]


def _accuse(suspect: tuple[Token, Token]) -> str:
    opener, end = suspect
    return (
        f"by the indentation, END of {_name(opener)} in line {opener.line} is missing, and the END in line {end.line} "
        "is that of another block"
    )


def _is_at_home(token: Token, block: Token) -> bool:
    name = token.text.lower()
    return name in OPENERS.get(block.text.lower(), ()) or (block.is_word("layer", "map") and name in KEYWORDS - _INNER)


def _is_plain(token: Token) -> bool:
    return token.kind is TokenKind.WORD and token.text[:1].isalpha()


def _name(token: Token) -> str:
    return token.text.upper()

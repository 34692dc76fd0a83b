"""Parse conditions joined by AND, OR, NOT and parentheses, by recursive descent, for all languages that have them.

OR binds loosest, then AND, then NOT. Subclasses define single conditions and the wording of errors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mapsos.terms.predicates import COMPARISONS, EVERYTHING, NOTHING, ComparisonOperator, Not, Predicate, all_of, any_of
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Word:
    """One word of a condition: ``kind`` "mark" for what belongs to the language, "end" behind the last word.

    ``place`` counts characters from 1. Other kinds are for the languages.
    """

    kind: str
    text: str
    place: int


class BooleanParser(ABC):
    """A condition in words, read once from the first to the last.

    Parameters
    ----------
    words
        The last one is of kind "end".
    most_levels
        How deep parentheses may nest, the condition itself being the first level.
    """

    def __init__(self, words: Sequence[Word], most_levels: int) -> None:
        self._words = words
        self._next = 0
        self._levels = 0
        self._most_levels = most_levels

    @abstractmethod
    def read_condition(self) -> Predicate:
        """Read a single condition, up to the next AND, OR or closing parenthesis."""

    @abstractmethod
    def refuse_word(self, wanted: str = "") -> Exception:
        """Return the error for the word ``here``, where ``wanted`` (empty: any other word) was expected."""

    @abstractmethod
    def refuse_depth(self) -> Exception:
        """Return the error for too many levels."""

    @property
    def here(self) -> Word:
        """The next word that is not yet read."""
        return self._words[self._next]

    def read(self) -> Predicate:
        """Read the whole condition. Raises the errors of the subclass."""
        found = self._read_or()
        if self.here.kind != "end":
            raise self.refuse_word()
        return found

    def advance(self) -> Word:
        """Read the next word, whatever it is (not the end)."""
        self._next += 1
        return self._words[self._next - 1]

    def take(self, *marks: str) -> Word | None:
        """Read the next word if it is one of these marks."""
        return self.advance() if self.here.kind == "mark" and self.here.text in marks else None

    def demand(self, mark: str) -> None:
        """Read a mark that has to come next."""
        if self.take(mark) is None:
            raise self.refuse_word(mark)

    def _read_or(self) -> Predicate:
        self._levels += 1
        if self._levels > self._most_levels:
            raise self.refuse_depth()
        found = [self._read_and()]
        while self.take("or"):
            found.append(self._read_and())
        self._levels -= 1
        return any_of(*found)

    def _read_and(self) -> Predicate:
        found = [self._read_not()]
        while self.take("and"):
            found.append(self._read_not())
        return all_of(*found)

    def _read_not(self) -> Predicate:
        negated = False
        while self.take("not"):
            negated = not negated
        if self.take("("):
            found = self._read_or()
            self.demand(")")
        else:
            found = self.read_condition()
        return negate(found) if negated else found


def negate(predicate: Predicate) -> Predicate:
    """Return the rows that a predicate leaves out."""
    if predicate in (EVERYTHING, NOTHING):
        return NOTHING if predicate == EVERYTHING else EVERYTHING
    return Not(predicate)


def compare_constants(first: str | float, operator: ComparisonOperator, second: str | float) -> Predicate:
    """Evaluate a comparison without a column, such as the ``1 = 1`` of programs that append conditions by AND."""
    return EVERYTHING if COMPARISONS[operator](first, second) else NOTHING

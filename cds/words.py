"""Words of a free text, and the longest listed phrases among them. Whole words only, in linear time."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct

Meaning = TypeVar("Meaning")

_TOKEN = re.compile(r"\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+,\d{1,2}(?![\d.,])|\d+(?:\.\d+)?|\.\d+|[^\W\d_]+|\S")
_WITHOUT = re.compile(r"\bw/o\b")
_DECIMAL_COMMA = re.compile(r"(\d+),(\d{1,2})")
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´®™")


def tokens_of(text: str) -> tuple[str, ...]:
    """The words, numbers and signs of a text, in lower case, without apostrophes.

    A number stays whole (``1,000`` is ``1000``, ``0,5`` is ``0.5``); a word ends where a digit begins (``5mg`` is two
    tokens). ``w/`` is ``with``, ``w/o`` ``without``; ``µg`` is ``mcg``.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()
    if "w/o" in plain:
        plain = _WITHOUT.sub("without", plain)
    tokens: list[str] = []
    for found in _TOKEN.findall(plain):
        if found == "/" and tokens and tokens[-1] == "w":
            tokens[-1] = "with"
        else:
            tokens.append("mcg" if found == "μg" else _without_comma(found))
    return tuple(tokens)


def _without_comma(found: str) -> str:
    if "," not in found:
        return found
    decimal = _DECIMAL_COMMA.fullmatch(found)
    return f"{decimal[1]}.{decimal[2]}" if decimal else found.replace(",", "") or found


def is_word(part: str) -> bool:
    """Whether a token is a word or a number (or the ``#`` before one) rather than another sign."""
    return part[-1].isalnum() or part == "#"


class Match(Struct, Generic[Meaning], frozen=True):
    """A phrase found: its meaning, and the places of its first and past its last token."""

    meaning: Meaning
    start: int
    stop: int


class Phrases(Generic[Meaning]):
    """Phrases and their meanings. Signs between the words of a phrase are overlooked (``oxy-ir`` is ``oxy ir``)."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]] = ()) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
        self._known: set[tuple[str, ...]] = set()
        for phrase, meaning in entries:
            self.add(phrase, meaning)

    def add(self, phrase: str, meaning: Meaning) -> None:
        """Lists a phrase. Raises ``ValueError`` where it holds no word or is listed already."""
        words = tuple(filter(is_word, tokens_of(phrase)))
        if not words or words in self._known:
            raise ValueError(phrase)
        self._known.add(words)
        same_first = self._by_first.setdefault(words[0], [])
        same_first.append((words, meaning))
        same_first.sort(key=lambda entry: -len(entry[0]))

    def __contains__(self, phrase: str) -> bool:
        return tuple(filter(is_word, tokens_of(phrase))) in self._known

    def words(self) -> frozenset[str]:
        """Every word of every phrase."""
        return frozenset(word for phrase in self._known for word in phrase)

    def meanings(self) -> list[Meaning]:
        """What the phrases mean."""
        return [meaning for entries in self._by_first.values() for _, meaning in entries]

    def meaning(self, phrase: str) -> Meaning:
        """What exactly this phrase means. Raises ``KeyError`` for one that is not listed."""
        words = tuple(filter(is_word, tokens_of(phrase)))
        return dict(self._by_first[words[0]])[words]

    def find(self, tokens: tuple[str, ...]) -> list[Match[Meaning]]:
        """The phrases among the tokens, from left to right; the longest first, none overlapping."""
        places = [place for place, token in enumerate(tokens) if is_word(token)]
        matches: list[Match[Meaning]] = []
        at = 0
        while at < len(places):
            for words, meaning in self._by_first.get(tokens[places[at]], ()):
                stop = at + len(words)
                if stop <= len(places) and all(
                    tokens[place] == word for place, word in zip(places[at:stop], words, strict=True)
                ):
                    matches.append(Match(meaning, places[at], places[stop - 1] + 1))
                    at = stop
                    break
            else:
                at += 1
        return matches

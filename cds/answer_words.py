"""What the words of a result answer: found or not, yes or no. Whole phrases, clause by clause."""

import re
from collections.abc import Iterable
from typing import Literal

from cds.words import Phrases, is_word, tokens_of

Answer = Literal["yes", "no", "not asked", "unclear"]
Kind = Literal["yes", "no", "not asked", "unclear", "turns round", "nothing"]

COMMON: tuple[tuple[Kind, str], ...] = (
    ("yes", "positive;pos;detected;detectable;present;presumptive;reactive;found;nonnegative;above cutoff"),
    ("no", "negative;neg;absent;undetected;undetectable;non detect;nonreactive;nd;nil;presumptive negative"),
    ("no", "below cutoff;below cut off;below the cutoff;below detection limit;below limit of detection"),
    ("turns round", "not;no;non;none;never;without"),
    ("not asked", "not performed;not done;not tested;not run;not received;not collected;not obtained;not available"),
    ("not asked", "not sufficient;insufficient;qns;no result;no results;no result found;no results found"),
    ("not asked", "no specimen;no sample;not enough specimen;not enough sample"),
    ("not asked", "not ordered;test canceled;test cancelled;not reported;not asked;not assessed;not recorded"),
    ("not asked", "not applicable;n a;not known"),
    ("not asked", "specimen rejected;sample rejected;rejected specimen;rejected sample;unsatisfactory specimen"),
    ("unclear", "equivocal;indeterminate;inconclusive;invalid"),
    ("nothing", "not confirmed;not yet confirmed;no confirmation;without confirmation;not verified"),
    ("nothing", "if positive;if detected;if negative;false positive;false negative"),
)
ALONE: tuple[tuple[Answer, str], ...] = (("yes", "yes;true"), ("no", "no;none;false"))
CLAUSE_ENDS = re.compile(r"[,;.:()|?!\[\]\n]")
ANSWERED = re.compile(r"[^,;.:?()]*(?:[:?]|\s-)\s*(\w+)\W*")
"""A heading and one word: "Detected: no"."""


class AnswerWords:
    """The phrases that answer, and the words that answer where they stand alone, those of ``COMMON`` and ``ALONE``
    and more of one kind of result; parted by ``;``."""

    def __init__(self, phrases: Iterable[tuple[Kind, str]] = (), alone: Iterable[tuple[Answer, str]] = ()) -> None:
        self._phrases: Phrases[Kind] = Phrases(
            (phrase, kind) for kind, listed in (*COMMON, *phrases) for phrase in listed.split(";")
        )
        self._alone = {word: answer for answer, listed in (*ALONE, *alone) for word in listed.split(";")}

    def read(self, text: str) -> Answer | None:
        """What a text answers; "unclear" where it contradicts itself or doubts, None where it says nothing."""
        answered = ANSWERED.fullmatch(text)
        if answered and answered[1].lower() in self._alone:
            return self._alone[answered[1].lower()]
        said = {answer for clause in CLAUSE_ENDS.split(text) for answer in self._clause(clause)}
        if len(said) > 1:
            said.discard("not asked")  # "positive, confirmation not performed"
        return said.pop() if len(said) == 1 else "unclear" if said else None

    def _clause(self, clause: str) -> set[Answer]:
        tokens = tokens_of(clause)
        words = [token for token in tokens if is_word(token)]
        if len(words) == 1 and words[0] in self._alone:
            return {self._alone[words[0]]}
        said: set[Answer] = set()
        denied = False
        for match in self._phrases.find(tokens):
            kind = match.meaning
            if kind == "turns round":
                denied = True
            elif kind == "yes":
                said.add("no" if denied else "yes")
                denied = False
            elif kind == "no":
                said.add("yes" if denied else "no")
                denied = False
            elif kind != "nothing":
                said.add(kind)
        return said

"""Words of a name that are cut, misspelt or short for an ingredient, and which ingredient each can only mean.

Read only where it is safe: one ingredient alone can be meant, and no other name of the tables is a letter away.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cds.table_reading import read_table

LEAST_LETTERS = 7
"""Shorter names are too near to other words: no misspelling of them is read."""
LEAST_CUT = 6
"""``HYDROCODO`` is a cut name; what is cut shorter is not read, but for the words of short_names.csv."""
VOWELS = "aeiouy"


def spellings_of(ingredients: Iterable[str], words: Iterable[str]) -> dict[str, str]:
    """Which ingredient a cut or misspelt word means. ``words``: every other word that the tables know."""
    known = frozenset(words)
    near_known: dict[str, set[str]] = {}
    for word in known:
        for short in {word, *_shorter(word)}:
            near_known.setdefault(short, set()).add(word)
    claims: dict[str, set[str]] = {}
    for name in ingredients:
        if len(name) < LEAST_LETTERS or not name.isalpha():
            continue
        cut = _cut(name, known)
        written = cut | {each for each in _misspelt(name) if not _near_another(each, name, near_known)}
        for each in written - known:
            claims.setdefault(each, set()).add(name)
    return {written: next(iter(names)) for written, names in claims.items() if len(names) == 1}


def _cut(name: str, known: frozenset[str]) -> set[str]:
    """The name without its end, as long as no other known word begins so."""
    others = [word for word in known if word[:LEAST_CUT] == name[:LEAST_CUT] and not word.startswith(name)]
    return {
        name[:length]
        for length in range(LEAST_CUT, len(name))
        if not any(word.startswith(name[:length]) and not name.startswith(word) for word in others)
    }


def _misspelt(name: str) -> set[str]:
    """The name with one letter missing, doubled, wrong (a vowel) or two letters exchanged; the first letter stays."""
    written: set[str] = set()
    for whole in (name, name[:-1]) if name.endswith("e") else (name,):
        for at in range(1, len(whole)):
            written.add(whole[:at] + whole[at + 1 :])
            written.add(whole[:at] + whole[at] + whole[at:])
            written.add(whole[: at - 1] + whole[at] + whole[at - 1] + whole[at + 1 :])
            if whole[at] in VOWELS:
                written.update(whole[:at] + vowel + whole[at + 1 :] for vowel in VOWELS)
    return {each for each in written if each[0] == name[0] and each != name and len(each) >= LEAST_CUT}


def _shorter(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _near_another(written: str, name: str, near_known: Mapping[str, set[str]]) -> bool:
    """Whether a word that does not belong to this name is at most one letter away."""
    near = set().union(*(near_known.get(each, set()) for each in {written, *_shorter(written)}))
    return any(not (word.startswith(name[:LEAST_CUT]) or name.startswith(word)) for word in near)


def load_short_names(folder: Path, called: Mapping[str, str]) -> dict[str, list[tuple[str, frozenset[str]]]]:
    """What a short word means beside one of certain ingredients (none listed: beside any). Raises KnowledgeError."""
    short: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for row in read_table(folder, "short_names.csv", ("word", "ingredient", "beside", "note")):
        word, partners = row.required("word"), row.parts("beside")
        if row.required("ingredient") not in called or not set(partners) <= called.keys() or not word.isalpha():
            raise row.wrong("ingredient and beside hold names of ingredients, word a single word")
        short.setdefault(word.lower(), []).append((row["ingredient"], frozenset(partners)))
    return short


def written_out(
    tokens: tuple[str, ...],
    taken: list[bool],
    names: frozenset[str],
    spellings: Mapping[str, str],
    short: Mapping[str, list[tuple[str, frozenset[str]]]],
) -> tuple[str, ...]:
    """The tokens with cut and short words written out. ``names``: the ingredients that are recognised already."""
    out = list(tokens)
    for at, token in enumerate(tokens):
        if not taken[at] and token in spellings:
            out[at] = spellings[token]
    beside = names.union(word for word, before in zip(out, tokens, strict=True) if word != before)
    for at, token in enumerate(tokens):
        if not taken[at] and token in short:
            out[at] = next((name for name, partners in short[token] if partners & beside), out[at])
    return tuple(out)

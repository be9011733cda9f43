"""What the words of a condition or of a reason mean, where no code tells (condition_texts.csv, context_words.csv).

Whole words only. What is denied, ruled out, past or of the family is taken back ("history of sciatica" is no sciatica):
such a text has no meaning of its own and is ``negated``. An event stays one however long ago ("history of overdose").
A doubtful one ("possible neuropathy") is no more than possible.
"""

from pathlib import Path

from msgspec import Struct

from cds.condition_table import NEUROPATHIC, YES_NO
from cds.table_reading import TABLES_FOLDER, read_table
from cds.words import Match, Phrases, is_word, tokens_of

TEXTS, CONTEXT = "condition_texts.csv", "context_words.csv"
KINDS = (
    "negation",
    "negation_next",
    "negation_last",
    "negation_after",
    "family",
    "history",
    "history_after",
    "uncertain",
    "clause_end",
    "unspecific",
)
OF_SOMEBODY_ELSE_OR_NOT = frozenset({"negation", "family"})
UNSPECIFIC = "nonspecific_pain"
CLAUSE_SIGNS = frozenset(",;.:()[]|")
SOFT_SIGNS = frozenset(",(")
"""A word that takes back reaches over these to what stands before it ("sciatica, resolved")."""
SENTENCE_SIGNS = frozenset(".;|")
EXTRA_MEANINGS = frozenset({"ckd_stage_unknown", "overdose_of_other", "cpap_mentioned"})
EVENTS = frozenset(
    {"overdose_history", "sedative_overdose_history", "seizure_disorder", "head_injury", "tonsillectomy"}
)
"""What has happened once counts, whatever became of it (CLINICAL.md section 13, event conditions)."""


class Phrase(Struct, frozen=True):
    """What a phrase means; ``takes_away`` are meanings that it takes from the rest of the text ("without pain")."""

    meanings: frozenset[str]
    takes_away: frozenset[str]
    localized: bool | None


class TextMeaning(Struct, frozen=True):
    """What a text means. ``specific``: it says more than "pain" or "as directed". ``takes_away``: what it also takes
    from a code beside it ("without pain")."""

    meanings: frozenset[str] = frozenset()
    localized: bool | None = None
    specific: bool = False
    negated: bool = False
    takes_away: frozenset[str] = frozenset()


class ConditionTexts:
    """Phrases with their meanings, and the words around them that change what they mean."""

    def __init__(
        self,
        phrases: Phrases[Phrase],
        word_sets: list[tuple[frozenset[str], Phrase]],
        context: Phrases[frozenset[str]],
    ) -> None:
        self._phrases = phrases
        self._word_sets = word_sets
        self._context = context

    def meaning(self, text: str) -> TextMeaning:
        tokens = tokens_of(text)
        matches = self._phrases.find(tokens)
        taken = [False] * len(tokens)
        for match in matches:
            taken[match.start : match.stop] = [True] * (match.stop - match.start)
        context = _beside(self._context.find(tokens), taken)
        denied, past, uncertain = _reach(tokens, context, matches)
        held = [
            not denied[match.start] and not (past[match.start] and EVENTS.isdisjoint(match.meaning.meanings))
            for match in matches
        ]
        affirmed = [match.meaning for match, holds in zip(matches, held, strict=True) if holds]
        unsaid = {
            tokens[at]
            for match, holds in zip(matches, held, strict=True)
            if not holds
            for at in range(match.start, match.stop)
        }
        doubtful = any(uncertain[match.start] for match in matches)
        words = {token for at, token in enumerate(tokens) if is_word(token) and not (denied[at] or past[at])} - unsaid
        affirmed += [phrase for parts, phrase in self._word_sets if parts <= words]
        return _unite(affirmed, doubtful, len(affirmed) < len(matches), _specific(tokens, matches, context))


def _beside(context: list[Match[frozenset[str]]], taken: list[bool]) -> list[Match[frozenset[str]]]:
    """The words of context that are no part of a phrase. Of "no history of" before a phrase that begins with "history
    of", the "no" is left."""
    beside = []
    for match in context:
        first = next((at for at in range(match.start, match.stop) if taken[at]), match.stop)
        if first == match.stop or (first > match.start and match.meaning & OF_SOMEBODY_ELSE_OR_NOT):
            beside.append(Match(match.meaning, match.start, first))
    return beside


def _reach(
    tokens: tuple[str, ...], context: list[Match[frozenset[str]]], matches: list[Match[Phrase]]
) -> tuple[list[bool], list[bool], list[bool]]:
    """For each token, whether a denial (or the family), whether a word of history, and whether a doubt reaches it."""
    kinds = {match.start: match for match in context}
    stops = {match.start: match.stop for match in matches}
    headings = {match.stop - 1 for match in context if "family" in match.meaning}
    last = {match.stop: match.start for match in matches}
    negated, past, uncertain = [False] * len(tokens), [False] * len(tokens), [False] * len(tokens)
    denying = recalling = doubting = False
    clause, following = 0, -1
    for at, word in enumerate(tokens):
        if word in CLAUSE_SIGNS:
            denying = denying and (word == "[" or (word == ":" and at - 1 in headings))
            recalling = doubting = False
            clause = clause if word in SOFT_SIGNS else at
        elif at in kinds:
            kind = kinds[at].meaning
            if "clause_end" in kind:
                denying = recalling = doubting = False
                clause = at
            denying |= bool(kind & OF_SOMEBODY_ELSE_OR_NOT)
            recalling |= "history" in kind
            doubting |= "uncertain" in kind
            if "negation_next" in kind:
                following = kinds[at].stop
            if "negation_last" in kind and at in last and kinds[at].stop not in stops:
                negated[last[at] : at] = [True] * (at - last[at])
            for word_after, reached in (("negation_after", negated), ("history_after", past)):
                if word_after in kind:
                    reached[clause:at] = [True] * (at - clause)
                    clause = at
        elif at == following and at in stops:
            negated[at : stops[at]] = [True] * (stops[at] - at)
        elif at == following and not is_word(word):
            following += 1
        negated[at] |= denying
        past[at] = recalling
        if word == "?":  # a question about what stands before it and after
            doubting = True
            uncertain[clause:at] = [True] * (at - clause)
        uncertain[at] = doubting
    _deny_before(tokens, context, negated)
    return negated, past, uncertain


def _deny_before(tokens: tuple[str, ...], context: list[Match[frozenset[str]]], negated: list[bool]) -> None:
    """A denial at the end of a text stands for what is before it in the sentence ("neuropathic pain: no")."""
    last = max((at for at, token in enumerate(tokens) if is_word(token)), default=-1)
    if context and "negation" in context[-1].meaning and context[-1].stop == last + 1:
        start = max((at for at in range(context[-1].start) if tokens[at] in SENTENCE_SIGNS), default=-1) + 1
        negated[start : last + 1] = [True] * (last + 1 - start)


def _specific(tokens: tuple[str, ...], matches: list[Match[Phrase]], context: list[Match[frozenset[str]]]) -> bool:
    empty = [not is_word(token) or token[0].isdigit() for token in tokens]
    for match in matches:
        if not match.meaning.meanings - {UNSPECIFIC}:
            empty[match.start : match.stop] = [True] * (match.stop - match.start)
    for words in context:
        empty[words.start : words.stop] = [True] * (words.stop - words.start)
    return not all(empty)


def _unite(phrases: list[Phrase], doubtful: bool, denied: bool, specific: bool) -> TextMeaning:
    meanings = frozenset[str]().union(*(phrase.meanings for phrase in phrases))
    taken = frozenset[str]().union(*(phrase.takes_away for phrase in phrases))
    meanings -= taken
    if meanings - {UNSPECIFIC}:
        meanings -= {UNSPECIFIC}
    if doubtful and meanings & NEUROPATHIC:
        meanings = (meanings - NEUROPATHIC) | {"neuropathic_possible"}
    negated = denied and not meanings - {UNSPECIFIC}
    if specific and not negated:
        meanings -= {UNSPECIFIC}
    return TextMeaning(meanings, localized_of(phrases), specific and not negated, negated, taken)


def localized_of(phrases: list[Phrase]) -> bool | None:
    """Whether the pain is localized: what the neuropathic phrases agree on, else what all agree on."""
    neuropathic = {p.localized for p in phrases if p.meanings & NEUROPATHIC} - {None}
    said = neuropathic or {p.localized for p in phrases} - {None}
    return said.pop() if len(said) == 1 else None


def load_condition_texts(meanings: frozenset[str], folder: Path = TABLES_FOLDER) -> ConditionTexts:
    """Reads both tables. A phrase may only mean what a code of conditions.csv can mean (``meanings``)."""
    phrases: Phrases[Phrase] = Phrases()
    word_sets: list[tuple[frozenset[str], Phrase]] = []
    for row in read_table(folder, TEXTS, ("phrase", "meanings", "localized", "note")):
        said = row.parts("meanings")
        unknown = {meaning.removeprefix("-") for meaning in said} - meanings - EXTRA_MEANINGS
        if unknown or not said:
            raise row.wrong(f"column meanings must hold meanings of conditions.csv, not {sorted(unknown)}")
        phrase = Phrase(
            meanings=frozenset(meaning for meaning in said if not meaning.startswith("-")),
            takes_away=frozenset(meaning[1:] for meaning in said if meaning.startswith("-")),
            localized=YES_NO[row.one_of("localized", tuple(YES_NO))],
        )
        if "+" in row["phrase"]:
            word_sets.append((frozenset(filter(is_word, tokens_of(row["phrase"]))), phrase))
            continue
        try:
            phrases.add(row["phrase"], phrase)
        except ValueError:
            raise row.wrong("the phrase holds no word or is listed already: delete it") from None
    kinds: dict[str, set[str]] = {}
    for row in read_table(folder, CONTEXT, ("phrase", "kind", "note")):
        kinds.setdefault(row.required("phrase"), set()).add(row.one_of("kind", KINDS))
    return ConditionTexts(phrases, word_sets, Phrases((words, frozenset(kind)) for words, kind in kinds.items()))

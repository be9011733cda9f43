"""AllergyIntolerance -> ``cds.chart.Allergy``."""

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from cds import terminology
from cds.allergen_classes import allergen_class
from cds.chart import Allergy
from cds.drugs import recognise
from cds.site_codes import SiteCodes
from cds.terminology import Concept
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import NOT_ACTIVE, NOT_SEVERE, SEVERE, meant
from hooks.fhir_elements import NOTHING, REMEMBERED, codes, concepts, printable
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON

NO_ALLERGY_CODES = frozenset(
    {"716186003", "409137002", "160244002", "428607008", "429625007", "716184000", "no-known-allergies"}
)
"""No known allergy at all, to drugs, to food, to the environment."""
NO_ALLERGY_WORDS = ("no known allerg", "no known drug allerg", "no known medication allerg", "nkda", "nka")
ALLERGY_WORDS = re.compile(
    r"\b(?:allergy|allergic|hypersensitivity|intolerance|intolerant)(?: (?:to|of))?\b", re.IGNORECASE
)
ANAPHYLAXIS = frozenset({"anaphylaxis"})


class Allergens(NamedTuple):
    """What an allergy is to: the fields of ``Allergy``. ``denied``: the record says that there is none."""

    denied: bool
    ingredients: frozenset[str]
    name: str
    meanings: frozenset[str]
    roles: frozenset[str]


UNKNOWN_ALLERGENS = Allergens(False, NOTHING, "", NOTHING, NOTHING)


class _Reaction(Struct, gc=False):
    substance: Raw = ABSENT
    manifestation: Raw = ABSENT
    severity: str | None = None
    description: str | None = None


_reactions = msgspec.json.Decoder(list[_Reaction] | _Reaction | None, strict=False)


def read_allergy(ref: str, sent: shapes.AllergyIntolerance, site: SiteCodes | None = None) -> Allergy | None:
    """An active allergy; None where it is refuted, over, or says that there is none."""
    if (sent.status or "").casefold() in NOT_ACTIVE or not (
        NOT_ACTIVE.isdisjoint(codes(sent.verification_status)) and NOT_ACTIVE.isdisjoint(codes(sent.clinical_status))
    ):
        return None
    reactions = _read_reactions(bytes(sent.reaction)) if sent.reaction else []
    allergens = _allergens(site, bytes(sent.code), bytes(sent.substance)) or _allergens(
        site, *(bytes(reaction.substance) for reaction in reactions)
    )
    if allergens is None:
        allergens = UNKNOWN_ALLERGENS
    if allergens.denied:
        return None
    words, severe = _reaction_words(reactions) if reactions else (NOTHING, None)
    kind = codes(sent.type)
    return Allergy(
        ref,
        allergens.ingredients,
        allergens.name,
        True if "intolerance" in kind else False if "allergy" in kind else None,
        severe,
        words,
        allergens.meanings,
        allergens.roles,
    )


@lru_cache(REMEMBERED)
def _allergens(site: SiteCodes | None, *elements: bytes) -> Allergens | None:
    """What these elements name together; None where they hold no concept that can be read."""
    named = [one for raw in elements for one in concepts(raw) or ()]
    if not named:
        return None
    drugs = [drug for one in named if (drug := recognise(one, site=site)) is not None]
    said = [terminology.condition_meaning(one) for one in named]
    classes = [found for one in named for text in _words_of(one) if (found := allergen_class(text)) is not None]
    denied = any(_denies(one) for one in named)
    if not drugs and not denied and not classes and any(meaning.unread for meaning in said):
        return UNKNOWN_ALLERGENS
    words = next(filter(None, map(printable, named)), "")
    return Allergens(
        denied=denied,
        ingredients=frozenset(part.name for drug in drugs for part in drug.ingredients),
        name=drugs[0].name if drugs else _plainly(words) if classes else words,
        meanings=NOTHING.union(*(meaning.meanings for meaning in said), *(found.meanings for found in classes)),
        roles=NOTHING.union(*(drug.roles for drug in drugs), *(found.roles for found in classes)),
    )


def _plainly(words: str) -> str:
    """The allergen without the word that says that it is one, in small letters: it stands within a sentence."""
    return ALLERGY_WORDS.sub("", words).strip().lower()


def _words_of(named: Concept) -> tuple[str, ...]:
    return tuple(filter(None, (named.text, *(coding.display for coding in named.codings))))


def _denies(named: Concept) -> bool:
    coded = {coding.code for coding in named.codings}
    if coded & NO_ALLERGY_CODES:
        return True
    return printable(named).casefold().startswith(NO_ALLERGY_WORDS)


def _read_reactions(raw: bytes) -> list[_Reaction]:
    try:
        found = _reactions.decode(raw)
    except UNREADABLE_JSON:
        return []
    return found if isinstance(found, list) else [] if found is None else [found]


def _reaction_words(reactions: list[_Reaction]) -> tuple[frozenset[str], bool | None]:
    """Meanings and words of the reactions, in lower case; and whether one was severe."""
    words: set[str] = set()
    for reaction in reactions:
        for named, meaning in meant(bytes(reaction.manifestation)):
            words |= meaning.meanings | {printable(named).casefold()}
        words |= {(reaction.description or "").strip().casefold()}
    words -= {""}
    said = {reaction.severity.casefold() for reaction in reactions if reaction.severity}
    if said & SEVERE or not words.isdisjoint(ANAPHYLAXIS) or any("anaphyla" in word for word in words):
        return frozenset(words), True
    return frozenset(words), False if said & NOT_SEVERE else None

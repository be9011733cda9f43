"""AllergyIntolerance -> ``cds.chart.Allergy``."""

import re

import msgspec
from msgspec import Raw, Struct

from cds import terminology
from cds.allergen_classes import allergen_class
from cds.chart import Allergy
from cds.drugs import recognise
from cds.site_codes import SiteCodes
from cds.terminology import Concept
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import MEANT, NOT_ACTIVE, NOT_SEVERE, SEVERE
from hooks.fhir_elements import CODES, NOTHING, codes, concepts, printable
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.remembered import Elements, Remembered

NO_ALLERGY_CODES = frozenset(
    {"716186003", "409137002", "160244002", "428607008", "429625007", "716184000", "no-known-allergies"}
)
"""No known allergy at all, to drugs, to food, to the environment."""
NO_ALLERGY_WORDS = ("no known allerg", "no known drug allerg", "no known medication allerg", "nkda", "nka")
ALLERGY_WORDS = re.compile(
    r"\b(?:allergy|allergic|hypersensitivity|intolerance|intolerant)(?: (?:to|of))?\b", re.IGNORECASE
)
ANAPHYLAXIS = frozenset({"anaphylaxis"})


class Allergens(Struct, frozen=True):
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


def read_allergies(records: Records, odd: set[str]) -> tuple[Allergy, ...]:
    """The active allergies: not those that are refuted, over, or say that there is none. ``odd`` is added those of
    which nobody can read what they are to."""
    allergies = []
    site = records.site
    clinical = verification = ABSENT  # as those of the last one
    over = False
    for ref, sent in records.of(shapes.AllergyIntolerance):
        code = bytes(sent.code)
        if concepts(code) is None:
            odd.add(ref)
        if sent.clinical_status != clinical or sent.verification_status != verification:
            clinical, verification = sent.clinical_status, sent.verification_status
            over = not (NOT_ACTIVE.isdisjoint(codes(verification)) and NOT_ACTIVE.isdisjoint(codes(clinical)))
        if over or (sent.status and sent.status.casefold() in NOT_ACTIVE):
            continue
        reactions = _read_reactions(bytes(sent.reaction)) if sent.reaction else []
        allergens = ALLERGENS[site, code, bytes(sent.substance) if sent.substance else b""] or (
            ALLERGENS[site, *(bytes(reaction.substance) for reaction in reactions)] if reactions else None
        )
        if allergens is None:
            allergens = UNKNOWN_ALLERGENS
        if allergens.denied:
            continue
        if not (allergens.name or allergens.meanings):
            odd.add(ref)
        words, severe = _reaction_words(reactions) if reactions else (NOTHING, None)
        allergies.append(
            Allergy(
                ref,
                allergens.ingredients,
                allergens.name,
                IS_INTOLERANCE.of(sent.type) if sent.type else None,
                severe,
                words,
                allergens.meanings,
                allergens.roles,
            )
        )
    return tuple(allergies)


def _is_intolerance(kind: bytes) -> bool | None:
    said = CODES[kind]
    return True if "intolerance" in said else False if "allergy" in said else None


IS_INTOLERANCE = Elements(_is_intolerance)


def _allergens(asked: tuple[SiteCodes | None, *tuple[bytes, ...]]) -> Allergens | None:
    site, *elements = asked
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


ALLERGENS = Remembered(_allergens)
"""What elements name together, by their site and their bytes; None where they hold no concept that can be read."""


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
        for named, meaning in MEANT.of(reaction.manifestation):
            words |= meaning.meanings | {printable(named).casefold()}
        words |= {(reaction.description or "").strip().casefold()}
    words -= {""}
    said = {reaction.severity.casefold() for reaction in reactions if reaction.severity}
    if said & SEVERE or not words.isdisjoint(ANAPHYLAXIS) or any("anaphyla" in word for word in words):
        return frozenset(words), True
    return frozenset(words), False if said & NOT_SEVERE else None

"""Is this order for neuropathic pain: definite, probable, possible, no, unknown; localized or diffuse; and why."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from cds.chart import ANSWERED, Chart, Condition, MedicationOrder, Reason
from cds.exposure import active_medications
from cds.first_line import FIRST_LINE

Grade = Literal["definite", "probable", "possible", "no", "unknown"]

NOT_PROVIDED = "not provided"
SOURCES_SEEN = ("conditions", "encounter", "medications")

NEUROPATHIC = frozenset({"neuropathic_definite", "neuropathic_probable"})
POSSIBLY_NEUROPATHIC = frozenset({"neuropathic_possible"})
OTHER_PAIN = frozenset(
    {
        "other_painful_condition", "fibromyalgia", "headache", "acute_zoster", "acute_or_surgical", "trauma_recent",
        "cancer_pain",
    }
)  # fmt: skip
PERHAPS_NEUROPATHIC = NEUROPATHIC | POSSIBLY_NEUROPATHIC
PAIN = PERHAPS_NEUROPATHIC | OTHER_PAIN
"""What a condition must mean to decide anything."""
NO_REASON = frozenset({"nonspecific_pain"})

DIFFUSE = frozenset({"central_pain", "lumbosacral_radiculopathy"})
FACE_OR_SCALP = frozenset({"face_or_scalp_pain", "trigeminal_neuralgia"})
FACE_WORDS = re.compile(
    r"\b(?:face|facial|scalp|head|forehead|cheek|jaw|chin|eye|eyelid|eyebrow|brow|ear|nose|lip|mouth|tongue|gums?|temple"
    r"|frontal|parietal|temporal|occip\w+|hairline|zygoma(?:tic)?|nasal|auricular|peri(?:oral|ocular)|ocular"
    r"|(?:peri|supra|infra)?orbit(?:al)?|ophthalmic(?:us)?|trigeminal|maxillary|mandibular|v ?[1-3])\b"
)
FACE_CODES = frozenset(
    {"89545001", "69536005", "41695006", "52795006", "60819002", "45206002", "81745001", "117590005"}
)
"""SNOMED CT for face, head, scalp, forehead, cheek, nose, eye and ear, where a site has no words (not verified)."""
WIDE_WORDS = re.compile(r";|\b(?:generali[sz]ed|whole|entire|diffuse|widespread|multiple|all over|body)\b")
FEET_WORDS = re.compile(r"\b(?:foot|feet|soles?|toes?)\b")
BEYOND_FEET_WORDS = re.compile(r"\b(?:hands?|fingers?|arms?|legs?|calf|calves|knees?|thighs?)\b")

SHORT_NAMES = (
    ("postherpetic_neuralgia", "postherpetic neuralgia"),
    ("trigeminal_neuralgia", "trigeminal neuralgia"),
    ("hiv_neuropathy", "HIV neuropathy"),
    ("chemotherapy_or_drug_neuropathy", "drug-induced neuropathy"),
    ("alcoholic_neuropathy", "alcoholic neuropathy"),
    ("diabetic_neuropathy", "diabetic neuropathy"),
    ("lumbosacral_radiculopathy", "lumbosacral radiculopathy"),
    ("phantom_limb", "phantom limb pain"),
    ("central_pain", "central pain"),
    ("crps", "complex regional pain syndrome"),
)
"""Meanings that have a name short enough for a card's summary, the most specific first."""
SHORTLY_NAMED = frozenset(dict(SHORT_NAMES))
SHORT_NAME_LIMIT = 32


class Indication(Struct, frozen=True):
    """The result of G03. ``name`` is the printable condition (None for "no" and "unknown"); ``meanings`` those of the
    condition or reason that decided; ``since`` its date; ``source`` is "order", "encounter", "problem list" or
    "first-line drug"; ``localized``: True, False (diffuse) or None (unknown: treated as diffuse, topicals mentioned
    only); ``feet_only`` for capsaicin; ``face_or_scalp``: no topical.

    ``unknown`` holds ``notAssessed`` entries of sources that were not answered and could have changed the grade.
    """

    grade: Grade
    name: str | None = None
    meanings: frozenset[str] = frozenset()
    since: date | None = None
    source: str | None = None
    localized: bool | None = None
    feet_only: bool = False
    face_or_scalp: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        """A name that fits a card's summary."""
        if not SHORTLY_NAMED.isdisjoint(self.meanings):
            return next(name for meaning, name in SHORT_NAMES if meaning in self.meanings)
        return self.name if self.name and len(self.name) <= SHORT_NAME_LIMIT else "neuropathic pain"


class _Pain(Struct, frozen=True):
    """A reason or a condition, in the terms that both share."""

    meanings: frozenset[str]
    name: str
    localized: bool | None
    provisional: bool
    since: date | None = None
    site: str | None = None

    @property
    def surely_neuropathic(self) -> bool:
        return not self.provisional and not NEUROPATHIC.isdisjoint(self.meanings)

    @property
    def perhaps_neuropathic(self) -> bool:
        return not PERHAPS_NEUROPATHIC.isdisjoint(self.meanings)

    @property
    def other_pain(self) -> bool:
        return not self.perhaps_neuropathic and not OTHER_PAIN.isdisjoint(self.meanings)


def indication(draft: MedicationOrder, chart: Chart, today: date) -> Indication:
    """G03 (CLINICAL.md section 2): the first source that decides ends it."""
    given = _usable(draft.reasons)
    if given:
        return _from_order(given, [_of_condition(entry) for entry in chart.conditions if entry.status == "present"])
    listed, encounter = [], []
    for entry in chart.conditions:
        if entry.status == "present" and not PAIN.isdisjoint(entry.meanings):
            pain = _of_condition(entry)
            listed.append(pain)
            if entry.encounter_diagnosis:
                encounter.append(pain)
    if chart.encounter is not None:
        encounter += [_of_reason(reason, chart.encounter.start) for reason in _usable(chart.encounter.reasons)]
    unseen = _unseen(chart)
    found = [pain for pain in encounter if pain.surely_neuropathic]
    if found:
        rival = any(pain.other_pain for pain in encounter)
        return _decided("possible" if rival else "probable", found, "encounter", unseen)
    found = [pain for pain in listed if pain.surely_neuropathic]
    other_pain = any(pain.other_pain for pain in (*encounter, *listed))
    if found:
        return _decided("possible" if other_pain else "probable", found, "problem list", unseen)
    found = [
        _of_reason(reason)
        for order in active_medications(chart.medications, today)
        if order.drug is not None and any(part.name in FIRST_LINE for part in order.drug.ingredients)
        for reason in _usable(order.reasons)
    ]
    found = [pain for pain in found if pain.surely_neuropathic]
    if found:
        return _decided("possible" if other_pain else "probable", found, "first-line drug", unseen)
    for of_source, source in ((encounter, "encounter"), (listed, "problem list")):
        found = [pain for pain in of_source if pain.perhaps_neuropathic]
        if found:
            return _decided("possible", found, source, unseen)
    if not chart.answers("conditions"):
        return Indication("unknown", unknown=unseen)
    return Indication("no", unknown=unseen)


def _usable(reasons: Iterable[Reason]) -> list[Reason]:
    return [reason for reason in reasons if reason.usable and not (reason.meanings and reason.meanings <= NO_REASON)]


def _from_order(reasons: Sequence[Reason], listed: Sequence[_Pain]) -> Indication:
    pains = [_placed(_of_reason(reason), listed) for reason in reasons]
    found = [pain for pain in pains if pain.surely_neuropathic]
    if found:
        return _decided("definite", found, "order", ())
    found = [pain for pain in pains if pain.perhaps_neuropathic]
    return _decided("possible", found, "order", ()) if found else Indication("no", source="order")


def _placed(reason: _Pain, listed: Sequence[_Pain]) -> _Pain:
    """A reason with the date and the body site of the same condition on the chart."""
    same = [pain for pain in listed if pain.meanings == reason.meanings or pain.name == reason.name]
    site = next((pain.site for pain in same if pain.site is not None), None)
    return replace(reason, since=min((pain.since for pain in same if pain.since is not None), default=None), site=site)


def _unseen(chart: Chart) -> tuple[str, ...]:
    """Sources that may hold a neuropathic reason and were not answered."""
    told = chart.questions
    unseen = [question for question in SOURCES_SEEN if told.get(question) != ANSWERED]
    return tuple([f"{question}: {told.get(question, NOT_PROVIDED)}" for question in unseen]) if unseen else ()


def _of_reason(reason: Reason, since: date | None = None) -> _Pain:
    return _Pain(reason.meanings, reason.name, reason.localized, reason.provisional, since)


def _of_condition(entry: Condition) -> _Pain:
    return _Pain(entry.meanings, entry.name, entry.localized, entry.provisional, entry.since, entry.site)


def _decided(grade: Grade, found: Sequence[_Pain], source: str, unseen: tuple[str, ...]) -> Indication:
    """The indication that the most specific of these conditions gives. Pain is localized where all of them are."""
    best = found[0] if len(found) == 1 else min(found, key=_preference)
    where: set[bool | None] = set()
    all_feet, any_face = True, False
    for pain in found:
        named = _named_places(pain.name) if pain.site is None else _places(f"{pain.name} {pain.site}")
        feet_only = named.feet_only and not pain.localized
        where.add(_localized(pain, feet_only))
        all_feet = all_feet and feet_only
        any_face = any_face or named.face_or_scalp or not FACE_OR_SCALP.isdisjoint(pain.meanings)
    return Indication(
        grade=grade,
        name=best.name,
        meanings=best.meanings,
        since=best.since,
        source=source,
        localized=where.pop() if len(where) == 1 else None,
        feet_only=all_feet,
        face_or_scalp=any_face,
        unknown=unseen,
    )


def _preference(pain: _Pain) -> tuple[int, str, str]:
    """The most specific first."""
    known = len(SHORTLY_NAMED & pain.meanings)
    return -known - 10 * ("neuropathic_definite" in pain.meanings), pain.name, str(pain.since)


def _localized(pain: _Pain, feet_only: bool) -> bool | None:
    if not DIFFUSE.isdisjoint(pain.meanings):
        return False
    if pain.localized is None and pain.site is not None and not feet_only and is_one_place(pain.site):
        return True
    return pain.localized


def is_one_place(site: str) -> bool:
    """Whether the words of a recorded body site name one place; a code without words tells nothing."""
    return any(map(str.isalpha, site)) and WIDE_WORDS.search(site.casefold()) is None


class _Places(Struct, frozen=True):
    """Which places the words of a pain name."""

    feet_only: bool
    face_or_scalp: bool


def _places(words: str) -> _Places:
    said = words.casefold()
    feet_only = FEET_WORDS.search(said) is not None and BEYOND_FEET_WORDS.search(said) is None
    any_face = FACE_WORDS.search(said) is not None or not FACE_CODES.isdisjoint(said.split())
    return _Places(feet_only, any_face)


_named_places = lru_cache(maxsize=1024)(_places)
"""The same of the name of a condition, which says the same for every patient."""

"""Which ingredients, strengths, form, route and release a coded or named drug has."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property, lru_cache

import msgspec
from msgspec import Struct

from cds.drug_names import DrugReading, Manner, read_manner, read_name, settled
from cds.drug_tables import ATC, NDC, RXNORM, SNOMED, Ingredient, NamedDrug, Substance, load_drugs
from cds.ndc import product_codes
from cds.site_codes import SiteCodes
from cds.terminology import CACHE_SIZE, Coding, Concept
from cds.words import tokens_of

__all__ = ["Drug", "Ingredient", "ingredient_drug", "recognise"]


class Drug(Struct, frozen=True, dict=True):
    """A recognised drug. ``release`` is "IR", "ER", "DR", "TD" or None where it is not said.

    ``route`` is "oral", "transdermal", "topical", "nasal", "injection", "buccal", "sublingual", "transmucosal",
    "rectal", "inhalation" or None. ``roles`` unites the roles (drugs.csv) of all ingredients; ``how`` is "code",
    "name", "spelling" (a cut or misspelt name) or "disagreement" (what was sent disagrees, the more dangerous reading
    kept). ``name`` is printable, in lower case: the ingredients joined with " / ".
    """

    ingredients: tuple[Ingredient, ...]
    roles: frozenset[str]
    name: str
    form: str | None = None
    route: str | None = None
    release: str | None = None
    how: str = "name"
    brand: str | None = None
    first_line_class: str | None = None

    def __hash__(self) -> int:
        """Cheap: what is worked out for a drug is remembered by it."""
        return hash((self.name, self.form, self.route, self.release))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its ingredients."""
        return frozenset(part.name for part in self.ingredients)

    def has(self, ingredient: str) -> bool:
        return ingredient in self.names

    @cached_property
    def systemic(self) -> bool:
        """It reaches the circulation: not on skin, eye or ear. A route that is not said counts as systemic."""
        return self.route not in LOCAL_ROUTES or not PATCH_OPIOIDS.isdisjoint(self.names)

    @cached_property
    def opioids(self) -> tuple[str, ...]:
        """Its opioid ingredients in the product's order; empty where it is no systemic opioid."""
        if "opioid" not in self.roles or not self.systemic:
            return ()
        if len(self.ingredients) == 1:
            return (self.ingredients[0].name,)
        return tuple(part.name for part in self.ingredients if "opioid" in _substance(part.name).roles)

    @cached_property
    def is_opioid(self) -> bool:
        """A systemic opioid agonist, partial or mixed agonist included; not an antagonist, not one of the gut."""
        return "opioid" in self.roles and self.systemic

    @cached_property
    def depressant_class(self) -> str | None:
        """The class of CNS depressant that a systemic drug belongs to (``cds.scope.depressant_class``), else None."""
        if not self.systemic:
            return None
        for role in DEPRESSANT_ROLES:
            if role in self.roles:
                return role
        if self.has("sodium oxybate"):
            return "sodium_oxybate"
        if not SEDATING_ANTIPSYCHOTICS.isdisjoint(self.names):
            return "sedating_antipsychotic"
        return "sedative_other" if "sedative_other" in self.roles else None


class _Candidate(Struct, frozen=True):
    """A reading, and how it came about: a product's code (2), an ingredient's (1), a name (0)."""

    reading: DrugReading
    belief: int


SYSTEMS = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "https://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.88": RXNORM,
    "rxnorm": RXNORM,
    "http://www.whocc.no/atc": ATC,
    "https://www.whocc.no/atc": ATC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "2.16.840.1.113883.6.73": ATC,
    "atc": ATC,
    "http://hl7.org/fhir/sid/ndc": NDC,
    "https://hl7.org/fhir/sid/ndc": NDC,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "2.16.840.1.113883.6.69": NDC,
    "ndc": NDC,
    "http://snomed.info/sct": SNOMED,
    "https://snomed.info/sct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.96": SNOMED,
}
ANTAGONIST_ROLES = frozenset({"antagonist", "naloxone", "rescue_antagonist"})
TOPICAL_ROLES = frozenset({"topical_lidocaine", "topical_capsaicin", "local_anesthetic"})
GRAVE_ROLES = frozenset({"antagonist", "benzodiazepine", "cns_depressant", "maoi", "cyp3a4_strong_inhibitor"})
LOCAL_ROUTES = frozenset({"topical", "ophthalmic", "otic"})
PATCH_OPIOIDS = frozenset({"fentanyl", "buprenorphine"})
"""Opioids whose "topical" orders are patches: no cream of them exists."""
SEDATING_ANTIPSYCHOTICS = frozenset({"chlorpromazine", "clozapine", "olanzapine", "quetiapine"})
DEPRESSANT_ROLES = ("benzodiazepine", "z_drug", "barbiturate", "muscle_relaxant", "sedating_antihistamine")
LIDOCAINE_PATCH = frozenset({Decimal("0.05"), Decimal("0.018")})
CAPSAICIN_PATCH = frozenset({Decimal("0.08"), Decimal(179)})
SLEEP_DOXEPIN_MG = 6
XTAMPZA = "Xtampza ER"
ROUNDING = Decimal("0.02")
"""Strengths that differ by this part are one strength, printed with fewer digits."""
FIELD_LENGTH = 1000
"""How much of a form or route field is read."""

_TABLES = load_drugs()
_NO_ROLE = Substance()


def recognise(
    concept: Concept, form: str | None = None, route: str | None = None, site: SiteCodes | None = None
) -> Drug | None:
    """The drug of a concept, or None where it is not recognised. Remembers its answers. Never raises.

    ``form`` and ``route`` are what the order says beside the name (dosage route, Medication.form).
    A code in the tables is believed first, then the names; DESIGN.md, "Recognising a drug". ``site``: what is known of
    codes where the order comes from; its own codes come before the tables, a terminology release after them.
    """
    if concept.short() and len(form or "") + len(route or "") <= FIELD_LENGTH:
        return _remembered(concept, form, route, site)
    return _recognise(concept, form, route, site)


def _recognise(concept: Concept, form: str | None, route: str | None, site: SiteCodes | None) -> Drug | None:
    candidates = [found for coding in concept.codings for found in _by_code_at(site, coding)]
    readings = (read_name(text, _TABLES) for text in concept.texts())
    candidates += [_Candidate(reading, 0) for reading in readings if reading is not None]
    if not candidates:
        return None
    return _drug(*_chosen(candidates), _order_manner(form, route))


_remembered = lru_cache(CACHE_SIZE)(_recognise)


@lru_cache(CACHE_SIZE)
def ingredient_drug(name: str) -> Drug:
    """The bare ingredient of drugs.csv as a drug. Raises ``KeyError`` for a name that the table lacks."""
    if not _TABLES.substances[name].roles:
        raise KeyError(name)
    return _drug(DrugReading((Ingredient(name),), Manner()), "name", Manner())


def _by_code_at(site: SiteCodes | None, coding: Coding) -> Iterator[_Candidate]:
    """What a code stands for: by the site's own codes, else by the tables, else by the release that the site holds."""
    if site is None or not coding.code:
        yield from _by_code(coding)
        return
    written = (coding.system or "").strip().lower().rstrip("/")
    system, code = SYSTEMS.get(written, written), coding.code.strip().upper()
    own = site.own(system, code)
    found = [] if own is not None else list(_by_code(coding))
    if own is None and not found:
        own = site.released(system, code, _TABLES)
    yield from found if own is None else [_Candidate(_coded(own.drug), own.belief)]


def _by_code(coding: Coding) -> Iterator[_Candidate]:
    """What a code of the tables stands for. A number without a system may be a product's, never an ingredient's; an
    NDC without hyphens may be three."""
    code = (coding.code or "").strip().upper()
    system = SYSTEMS.get((coding.system or "").strip().lower().rstrip("/"), coding.system or "")
    if system == NDC or (not system and "-" in code):
        for product in product_codes(code):
            if product in _TABLES.ndc:
                yield _Candidate(_coded(_TABLES.ndc[product]), 2)
        return
    if system == RXNORM or (not system and code in _TABLES.products):
        if code in _TABLES.products:
            yield _Candidate(_coded(_TABLES.products[code]), 2)
            return
        code = code.lstrip("0")
    if not system and (ATC, code) in _TABLES.codes:
        system = ATC
    named = _TABLES.codes.get((system, code))
    if named is not None:
        yield _Candidate(_coded(named), 1)


def leave_out_snomed() -> None:
    """Reads the tables again without SNOMED CT, for a site without its licence: at start, for good."""
    global _TABLES
    _TABLES = load_drugs(snomed=False)
    _remembered.cache_clear()
    ingredient_drug.cache_clear()


def _substance(name: str) -> Substance:
    """What the tables say of an ingredient; nothing of one that only a site's codes know."""
    return _TABLES.substances.get(name, _NO_ROLE)


def _coded(named: NamedDrug) -> DrugReading:
    manner = Manner(named.form, named.route, named.release, sure=named.route is not None)
    return DrugReading(named.ingredients, manner, named.brand)


def _chosen(candidates: list[_Candidate]) -> tuple[DrugReading, str]:
    """The reading to keep, and how it came about. Of readings that disagree, the more dangerous."""
    best = max(candidates, key=_precedence)
    others = [each for each in candidates if each is not best]
    if any(not _agree(best, other) for other in others):
        return _most_dangerous(best, others), "disagreement"
    richest = max([best, *others], key=lambda each: (len(each.reading.names), each.belief))
    reading, coded = richest.reading, any(each.belief for each in candidates)
    for other in sorted(others, key=lambda each: -each.belief):
        reading = _completed(reading, other.reading)
    return reading, "code" if coded else "spelling" if reading.guessed else "name"


def _most_dangerous(best: _Candidate, others: list[_Candidate]) -> DrugReading:
    """Of one drug the highest strength and the longest release of those that were sent; the rest from the surest."""
    same = [best, *(other for other in others if other.reading.names == best.reading.names)]
    strongest = max(same, key=lambda each: _danger(each.reading))
    reading = strongest.reading
    for other in same:
        reading = _completed(reading, other.reading)
    if any(other.reading.manner.release == "ER" for other in same):
        reading = msgspec.structs.replace(reading, manner=msgspec.structs.replace(reading.manner, release="ER"))
    return reading


def _danger(reading: DrugReading) -> Decimal:
    opioids = _opioids(reading.names)
    return max((part.amount or Decimal(0) for part in reading.ingredients if part.name in opioids), default=Decimal(0))


def _precedence(candidate: _Candidate) -> tuple[int, int, int, Decimal, bool]:
    """An opioid before any other drug, then grave roles, then any; more ingredients; the surer; of one drug the higher
    strength, and the longer release."""
    reading = candidate.reading
    roles = frozenset[str]().union(*(_substance(name).roles for name in reading.names))
    rank = 3 if "opioid" in roles else 2 if roles & GRAVE_ROLES else 1 if roles else 0
    return rank, len(reading.names), candidate.belief, _danger(reading), reading.manner.release == "ER"


def _agree(one: _Candidate, other: _Candidate) -> bool:
    """The same drug, or one tells less than the other. Two products of one drug must have one strength and release; a
    name must not contradict the strength or the release of an opioid's product."""
    small, large = sorted((one.reading.names, other.reading.names), key=len)
    if not small <= large:
        return False
    if small != large and _opioids(small) != _opioids(large):
        return False
    if min(one.belief, other.belief) < 2:
        if max(one.belief, other.belief) < 2:
            return True
        return small == large and not _contradict(one.reading, other.reading)
    return (one.reading.ingredients, one.reading.manner.release) == (
        other.reading.ingredients,
        other.reading.manner.release,
    )


def _contradict(one: DrugReading, other: DrugReading) -> bool:
    """Whether two readings of one opioid tell another strength, or one extended and one immediate release."""
    if {one.manner.release, other.manner.release} == {"ER", "IR"}:
        return bool(_opioids(one.names))
    amounts = {part.name: part for part in other.ingredients}
    return any(
        part.amount is not None
        and (said := amounts[part.name]).amount is not None
        and said.unit == part.unit
        and abs(part.amount - said.amount) > ROUNDING * part.amount
        for part in one.ingredients
        if part.name in _opioids(one.names)
    )


def _opioids(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if "opioid" in _substance(name).roles)


def _completed(reading: DrugReading, other: DrugReading) -> DrugReading:
    """The reading with what another of the same drug adds: strengths, form, route, release, brand."""
    amounts = {part.name: part for part in other.ingredients if part.amount is not None}
    known = any(part.amount is not None for part in reading.ingredients)
    mine, theirs = reading.manner, other.manner
    return DrugReading(
        reading.ingredients if known else tuple(amounts.get(part.name, part) for part in reading.ingredients),
        Manner(
            mine.form or theirs.form,
            mine.route if mine.sure or not theirs.route else theirs.route,
            mine.release or theirs.release,
            mine.sure or theirs.sure,
        ),
        reading.brand or other.brand,
        reading.brand_route or other.brand_route,
        reading.brand_release or other.brand_release,
        reading.guessed and other.guessed,
    )


def _order_manner(form: str | None, route: str | None) -> Manner:
    """What the order's own fields say: free text or the display of a code."""
    by_route = _words(route)
    by_form = _words(form)
    return Manner(by_form.form, by_route.route or (by_form.route if by_form.sure else None), by_form.release)


def _words(text: str | None) -> Manner:
    tokens = tokens_of((text or "")[:FIELD_LENGTH])
    return read_manner(tokens, _TABLES.routes.find(tokens))


def _drug(reading: DrugReading, how: str, order: Manner) -> Drug:
    ingredients, manner = settled(reading, order)
    brand = reading.brand
    names = [part.name for part in ingredients]
    if brand is None and names == ["oxycodone"] and manner.form == "Extended Release Oral Capsule":
        brand = XTAMPZA
    classes = {
        found for part in ingredients if (found := _first_line_class(part, manner, brand, len(names) == 1)) is not None
    }
    return Drug(
        ingredients=ingredients,
        roles=_roles(ingredients, manner, classes),
        name=" / ".join(names).lower(),
        form=manner.form,
        route=manner.route,
        release=manner.release,
        how=how,
        brand=brand,
        first_line_class=min(classes, default=None),
    )


def _roles(ingredients: tuple[Ingredient, ...], manner: Manner, classes: set[str]) -> frozenset[str]:
    """The roles of all ingredients, less those that this product has not (CLINICAL.md sections 8 and 13)."""
    substances = [_substance(part.name) for part in ingredients]
    opioid = any("opioid" in substance.roles for substance in substances)
    roles: set[str] = set()
    for substance in substances:
        own = substance.roles - ANTAGONIST_ROLES if opioid else substance.roles
        roles |= own & TOPICAL_ROLES if manner.route == "topical" and "opioid" not in own else own
    return frozenset(roles - {"topical_lidocaine", "topical_capsaicin"} | (classes & TOPICAL_ROLES))


def _first_line_class(part: Ingredient, manner: Manner, brand: str | None, alone: bool) -> str | None:
    """The class of an ingredient, where this product counts as a trial of it (CLINICAL.md section 4)."""
    found = _substance(part.name).first_line_class
    patch = manner.release == "TD"
    if found == "topical_lidocaine":
        return found if alone and patch and (part.amount is None or part.amount in LIDOCAINE_PATCH) else None
    if found == "topical_capsaicin":
        return found if brand == "Qutenza" or (patch and part.amount in CAPSAICIN_PATCH) else None
    if manner.route == "topical" or brand == "Silenor":
        return None
    if part.name == "doxepin" and part.amount is not None and part.unit == "MG" and part.amount <= SLEEP_DOXEPIN_MG:
        return None
    return found

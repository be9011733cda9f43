"""Ladder rules that add a line to another card: topical agents, radiculopathy, HIV, mild pain (NP-08, 10, 11, 13)."""

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.exposures import is_agent
from cds.first_line import FIRST_LINE
from cds.knowledge import load_group
from cds.ladder_view import facts_of, view
from cds.offer import not_offered
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.scope import is_opioid
from cds.supply import counts

KNOWLEDGE = load_group("ladder")
MILD_POINTS = KNOWLEDGE["NP-13"].number("mild_points")
SCORE_DAYS = KNOWLEDGE["NP-13"].days("score_days")


def localized_pain_without_topical(case: Case, draft: MedicationOrder) -> Outcome:
    """Add a topical agent where neuropathic pain is localized."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.indication.face_or_scalp:
        return DoesNotApply("pain of face or scalp")
    if seen.indication.localized is None and not seen.indication.feet_only:
        return CannotTell(("body site: not recorded",))
    if not seen.indication.localized and not seen.indication.feet_only:
        return DoesNotApply("diffuse pain")
    topical = ("lidocaine", "capsaicin")
    records = (*filter(counts, case.chart.medications), *case.starting)
    if any(is_agent(order, FIRST_LINE[name]) for order in records for name in topical):
        return DoesNotApply("topical agent on record")
    lidocaine = not_offered(case, "lidocaine_patch", draft, stays=True)
    capsaicin = not_offered(case, "capsaicin_patch", draft, stays=True)
    if capsaicin and (lidocaine or not seen.indication.localized):
        return DoesNotApply("no topical agent suits this patient")
    words = "feet" if not seen.indication.localized else "capsaicin" if lidocaine else "default"
    return Fires("info", facts_of(case, draft, seen), words, ("topical",), seen.ladder.not_seen)


def radiculopathy(case: Case, draft: MedicationOrder) -> Outcome:
    """Expect little of opioids in lumbosacral radiculopathy; consider physiotherapy or a pain specialist."""
    seen = view(case, draft)
    if seen.adult is not None:
        return seen.adult
    if "lumbosacral_radiculopathy" not in seen.indication.meanings:
        return DoesNotApply("other cause")
    return Fires("info", facts_of(case, draft, seen))


def hiv_neuropathy(case: Case, draft: MedicationOrder) -> Outcome:
    """Weigh that opioids may worsen neuropathic pain in HIV."""
    seen = view(case, draft)
    if seen.adult is not None:
        return seen.adult
    if "hiv_neuropathy" in seen.indication.meanings or case.has("hiv", "hiv_neuropathy"):
        return Fires("info", facts_of(case, draft, seen))
    if not case.chart.answers("conditions"):
        return CannotTell((case.missing("conditions"),))
    return DoesNotApply("no HIV on the record")


def mild_pain(case: Case, draft: MedicationOrder) -> Outcome:
    """Keep opioids for moderate to severe pain."""
    seen = view(case, draft)
    if seen.adult is not None:
        return seen.adult
    if any(is_opioid(order) for order in case.listed):
        return DoesNotApply("an opioid is taken")
    score = case.latest("pain_score", within_days=SCORE_DAYS)
    if score is None or score.value is None:
        known = case.chart.answers("scores")
        return CannotTell(("scores: no pain score in 30 days" if known else case.missing("scores"),))
    if score.value > MILD_POINTS:
        return DoesNotApply("pain not mild")
    if not case.medications_known:
        return CannotTell((case.missing("medications"),))
    facts = {"score": number(score.value), "score_date": str(score.taken)}
    return Fires("info", facts_of(case, draft, seen) | facts)

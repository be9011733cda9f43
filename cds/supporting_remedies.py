"""Remedies that order something beside the opioid: naloxone, a laxative, an ECG, a urine drug test, a referral."""

from cds.breathing import rescue_at_hand
from cds.case import Case
from cds.findings import Finding
from cds.orders import PlainOrder, Proposal
from cds.remedies import NOTHING, Made, Makers, drafts_of, name_of
from cds.schedules import SCHEDULES
from cds.second_review import SecondReview
from cds.supporting_orders import ecg_order, laxative_order, rescue_order, service_order

MONTHS_OF_RESCUE = 24
NO_LAXATIVE = (
    "gi_obstruction", "paralytic_ileus", "toxic_megacolon", "fecal_impaction", "diarrhoea",
)  # fmt: skip
"""What speaks against a laxative by mouth."""
ADDICTION_RULES = frozenset({"DD-21", "DD-14"})
"""Rules whose referral goes to an addiction service; every other goes to a pain specialist."""
REFERRALS = {"referral_pain": "Refer to a pain specialist", "referral_addiction": "Refer to an addiction service"}


class SupportingRemedies:
    """Makes these remedies for one case. No rule objects to any of them, so none is reviewed again."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case

    def naloxone(self, finding: Finding) -> Made:
        """Naloxone, where no rescue product is at hand."""
        ingredient = SCHEDULES.rescue.ingredient
        if rescue_at_hand(self.case, MONTHS_OF_RESCUE):
            return NOTHING
        if self._allergic_to(ingredient):
            return (), (f"{ingredient.capitalize()} is on the allergy list: it is not proposed.",)
        label = "Order naloxone 4 mg nasal spray, 2 units, for an emergency"
        return _one("naloxone", finding, label, rescue_order()), ()

    def laxative(self, finding: Finding) -> Made:
        """Senna; polyethylene glycol where senna is not tolerated. None with an obstructed bowel or diarrhoea."""
        if not self.case.chart.answers("conditions"):
            return (), ("A laxative is not proposed: the problem list is not known (obstruction, diarrhoea).",)
        against = self.case.condition(*NO_LAXATIVE)
        if against is not None:
            return (), (f"A laxative is not proposed: {against.name}.",)
        for laxative in SCHEDULES.laxatives:
            if self.case.taking_ingredient(laxative.ingredient):
                return NOTHING
            if not self._allergic_to(laxative.ingredient):
                return _one("laxative", finding, f"Add {laxative.label}", laxative_order(laxative)), ()
        return NOTHING

    def ecg(self, finding: Finding) -> Made:
        """An ECG before the drafted drug."""
        draft = next(iter(drafts_of(self.case, finding)), None)
        if draft is None:
            return NOTHING
        return _one("ecg", finding, "Order an ECG", ecg_order(f"Before the next dose of {name_of(draft)}.")), ()

    def urine_test(self, finding: Finding) -> Made:
        """A urine drug test."""
        return _one("urine_test", finding, "Order a urine drug test", service_order("urine_test")), ()

    def referral(self, finding: Finding) -> Made:
        """A pain specialist, or an addiction service where opioid use itself is the matter."""
        meaning = referral_of(finding.rule)
        return _one("referral", finding, REFERRALS[meaning], service_order(meaning)), ()

    def _allergic_to(self, ingredient: str) -> bool:
        return ingredient in self.case.allergens[0]


MAKERS: Makers[SupportingRemedies] = {
    "naloxone": SupportingRemedies.naloxone,
    "laxative": SupportingRemedies.laxative,
    "ecg": SupportingRemedies.ecg,
    "urine_test": SupportingRemedies.urine_test,
    "referral": SupportingRemedies.referral,
}


def referral_of(rule: str) -> str:
    """To whom this rule refers: the meaning in the table of service codes."""
    return "referral_addiction" if rule in ADDICTION_RULES else "referral_pain"


def _one(ask: str, finding: Finding, label: str, order: PlainOrder) -> tuple[Proposal, ...]:
    return (Proposal(ask, finding.group, finding.rule, label, create=order),)

"""The second review of an opioid that is itself proposed: nothing at all may warn of it."""

from cds.case import Case
from cds.chart import MedicationOrder
from cds.orders import PlainOrder, as_medication
from cds.second_review import SecondReview
from cds.supporting_orders import rescue_order

NALOXONE_RULE = "SAF-01"


def against_opioid(
    case: Case, second: SecondReview, draft: MedicationOrder, order: PlainOrder
) -> tuple[tuple[str, ...], PlainOrder | None]:
    """Rules that warn of this opioid in the place of the draft, be it that they warned of the draft as well.

    Where naloxone alone is missing, it is the order beside it, and what then still warns is told.
    """
    come = as_medication(order, case.today, draft.reasons)
    rules = second.warnings_of(draft, come)
    if rules != (NALOXONE_RULE,):
        return rules, None
    rescue = rescue_order()
    return second.warnings_of(draft, come, beside=as_medication(rescue, case.today)), rescue

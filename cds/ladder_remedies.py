"""Remedies of the ladder: the next first-line order in the place of the opioid, or beside it."""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from cds.abrupt_stop import continues_taken, taken_before
from cds.case import Case
from cds.chart import MedicationOrder
from cds.dose import daily_dose
from cds.findings import Finding
from cds.ladder_view import last_day_of
from cds.offer import AGENT_CLASSES, ALREADY_TAKEN, not_offered, regimen_without, unknown_for
from cds.opioid_orders import tramadol_order
from cds.opioid_review import against_opioid
from cds.orders import (
    PlainOrder,
    Proposal,
    as_medication,
    dose_in_words,
    next_step_order,
    start_order,
)
from cds.ranking import partners, ranked
from cds.remedies import NOTHING, Made, Makers, deletion_of, drafts_of, name_of, taper_words
from cds.schedules import SCHEDULES
from cds.scope import is_opioid, stops
from cds.second_review import SecondReview
from cds.supporting_orders import capsaicin_order, ecg_before
from cds.trials import Ladder, Trial, ladder_of

LADDER_ASKS = frozenset({"first_line", "second_class", "partner", "titrate", "keep_first_line", "topical", "tramadol"})
MOST_TRIED = 4
"""Candidates that are put on the chart for one ask."""


class LadderRemedies:
    """Makes these remedies for one case."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case
        self.second = second
        self.under_lidocaine: set[str] = set()
        """Drafts that lidocaine was proposed to replace: it need not be added as well."""

    def replacement(
        self,
        ask: str,
        finding: Finding,
        ranking: Callable[[Case, MedicationOrder, Ladder], Sequence[str]],
        most: int,
    ) -> Made:
        """The best agents, each of another class, that may be offered and pass the second review."""
        draft = self._draft(finding)
        if draft is None:
            return NOTHING
        ladder = ladder_of(self.case, draft)
        agents = ranking(self.case, draft, ladder) if ladder.state != "unknown" else ()
        stays = continues_taken(self.case, draft)
        said = [taper_words(self.case, draft)] if stays else []
        made, why_not = self._first_that_pass(ask, finding, draft, agents, stays, most)
        said.extend(why_not)
        if not stays and ladder.state != "unknown":
            deletions, against = deletion_of(self.case, self.second, finding, draft)
            return (*made, *deletions), (*said, *against)
        return made, said

    def _first_that_pass(
        self, ask: str, finding: Finding, draft: MedicationOrder, agents: Sequence[str], stays: bool, most: int
    ) -> tuple[list[Proposal], list[str]]:
        made: list[Proposal] = []
        classes: set[str] = set()
        unknown: dict[str, list[str]] = {}
        withheld: list[str] = []
        withdrawn: list[str] = []
        tried = 0
        for agent in agents:
            if len(made) == most or tried == MOST_TRIED:
                break
            if AGENT_CLASSES[agent] in classes:
                continue
            missing = unknown_for(self.case, agent)
            reasons = not_offered(self.case, agent, draft, stays)
            if reasons or missing:
                for entry in missing if not reasons else ():
                    unknown.setdefault(entry, []).append(agent_name(agent))
                withheld.extend(f"{agent_name(agent)} ({reason})" for reason in reasons[:1] if reason != ALREADY_TAKEN)
                continue
            order = self._start(agent, draft, stays)
            tried += 1
            objections = self._objections(draft, stays, order)
            if objections:
                withdrawn.append(f"{agent_name(agent)} ({'; '.join(self.second.in_words(objections))})")
                continue
            classes.add(AGENT_CLASSES[agent])
            if agent == "lidocaine_patch":
                self.under_lidocaine.add(draft.ref)
            made.append(self._proposal(ask, finding, agent, draft, stays, order))
        if made:  # another agent might suit better, were this known
            waiting = dict.fromkeys(name for names in unknown.values() for name in names)
            weighed = f"Not weighed while this is not known ({', '.join(unknown)}): {', '.join(waiting)}."
            return made, [weighed] if unknown else []
        return made, _why_not(unknown, withheld, withdrawn)

    def _start(self, agent: str, draft: MedicationOrder, stays: bool) -> PlainOrder:
        taken = regimen_without(self.case, None if stays else draft)
        reason = self.case.indication(draft).name
        return start_order(self.case, SCHEDULES.agents[agent], taken, reason, self._course_words(agent, draft))

    def _course_words(self, agent: str, draft: MedicationOrder) -> str | None:
        """Add-on to what works in part and is tolerated, switch from what failed."""
        for name, trial in ladder_of(self.case, draft).classes.items():
            if trial.active and trial.agent and name != AGENT_CLASSES[agent]:
                failed = trial.outcome is not None
                return f"Instead of {trial.agent}: taper that." if failed else f"Add-on: {trial.agent} goes on."
        return None

    def _proposal(
        self, ask: str, finding: Finding, agent: str, draft: MedicationOrder, stays: bool, order: PlainOrder
    ) -> Proposal:
        also = ecg_before(self.case, agent)
        order = _after(also, order)
        opioid = name_of(draft)
        what = f"{agent_name(agent)} {dose_in_words(order)}{', after an ECG' if also else ''}"
        instead = f"{what[0].upper()}{what[1:]}, instead of {opioid}"
        label = f"Add {what}; taper {name_of(taken_before(self.case, draft))} by agreement" if stays else instead
        return Proposal(
            ask, finding.group, finding.rule, label, create=order, delete=None if stays else draft.ref, also=also
        )

    def tramadol(self, finding: Finding) -> Made:
        """Tramadol of immediate release in the place of a strong opioid, only where nothing at all forbids it."""
        draft = self._draft(finding)
        if draft is None:
            return NOTHING
        if continues_taken(self.case, draft):
            return (), (taper_words(self.case, draft),)
        made, said = [], []
        missing = unknown_for(self.case, "tramadol")
        reasons = not_offered(self.case, "tramadol", draft)
        order = tramadol_order(self.case, self.case.indication(draft).name)
        against, also = ((), None) if reasons or missing else against_opioid(self.case, self.second, draft, order)
        if reasons:
            said.append(f"Tramadol is not proposed: {', '.join(reasons)}.")
        elif missing:
            said.append(f"Tramadol is not proposed while this is not known: {', '.join(missing)}.")
        elif against:
            said.append(f"Tramadol is not proposed: {'; '.join(self.second.in_words(against))}.")
        else:
            instead = f"instead of {name_of(draft)}{', with naloxone' if also else ''}"
            label = f"Tramadol {dose_in_words(order)}, {order.days} days, {instead}"
            made.append(
                Proposal("tramadol", finding.group, finding.rule, label, create=order, delete=draft.ref, also=also)
            )
        deletions, against_that = deletion_of(self.case, self.second, finding, draft)
        return (*made, *deletions), (*said, *against_that)

    def titration(self, finding: Finding) -> Made:
        """The next step of an active agent that is below its therapeutic minimum, by a new order that names the old."""
        draft = self._draft(finding)
        if draft is None:
            return NOTHING
        stays, said = continues_taken(self.case, draft), []
        for trial in ladder_of(self.case, draft).classes.values():
            running = self._running(trial)
            agent = SCHEDULES.agents.get(trial.agent or "")
            if running is None or agent is None or trial.shortfall != "dose":
                continue
            daily = daily_dose(running, agent.ingredient).maximum
            reasons = not_offered(self.case, agent.name, draft, stays, running)
            missing = unknown_for(self.case, agent.name)
            taken = regimen_without(self.case, None if stays else draft)
            reason = self.case.indication(draft).name
            order = None if daily is None else next_step_order(self.case, agent, running, daily, taken, reason)
            if reasons or missing or order is None:
                said.extend(_why_not(missing, [f"{agent.name} ({r})" for r in reasons[:1]], []))
                continue
            if objections := self._objections(draft, stays, order):
                said.extend(_why_not((), [], [f"{agent.name} ({'; '.join(self.second.in_words(objections))})"]))
                continue
            ending = (
                f"taper {name_of(taken_before(self.case, draft))} by agreement" if stays else f"no {name_of(draft)}"
            )
            also = ecg_before(self.case, agent.name)
            what = f"{dose_in_words(order)}{', after an ECG' if also else ''}"
            old = "stop its old order" if running.kind == "request" else "in place of the present dose"
            label = f"Raise {agent.name}: {what}; {old}; {ending}"
            raised, gone = _after(also, order), None if stays else draft.ref
            return (Proposal("titrate", finding.group, finding.rule, label, create=raised, delete=gone, also=also),), ()
        return (), said

    def kept_first_line(self, finding: Finding) -> Made:
        """No opioid; the running agent goes on until its trial is adequate."""
        draft = self._draft(finding)
        if draft is None or continues_taken(self.case, draft) or self.second.objections_to_leaving_out(draft):
            return NOTHING
        for trial in ladder_of(self.case, draft).classes.values():
            if trial.active and trial.grade == "PARTIAL" and trial.shortfall == "duration" and trial.agent:
                until = last_day_of(self.case, trial).isoformat()
                label = f"Keep {trial.agent} until {until}; do not start {name_of(draft)}"
                return (Proposal("keep_first_line", finding.group, finding.rule, label, delete=draft.ref),), ()
        return NOTHING

    def topical(self, finding: Finding) -> Made:
        """Lidocaine 5 % beside what is ordered; capsaicin 8 % by request where lidocaine is not offered."""
        draft = self._draft(finding)
        if draft is None or draft.ref in self.under_lidocaine:
            return NOTHING
        missing = unknown_for(self.case, "lidocaine_patch")
        if missing:
            return (), _why_not(missing, [], [])
        pain = self.case.indication(draft)
        if not not_offered(self.case, "lidocaine_patch", draft, stays=True):
            order = self._start("lidocaine_patch", draft, stays=True)
            if not self._objections(draft, True, order):
                label = f"Add lidocaine 5 % patch, {dose_in_words(order)} for 12 hours a day"
                return (Proposal("topical", finding.group, finding.rule, label, create=order),), ()
        if not not_offered(self.case, "capsaicin_patch", draft, stays=True):
            order = capsaicin_order(pain.name, pain.feet_only and "diabetic_neuropathy" not in pain.meanings)
            label = "Request one application of a capsaicin 8 % patch"
            return (Proposal("topical", finding.group, finding.rule, label, create=order),), ()
        return NOTHING

    def _draft(self, finding: Finding) -> MedicationOrder | None:
        """The opioid draft of the finding, where the ladder concerns it."""
        draft = next(iter(drafts_of(self.case, finding)), None)
        if draft is None or stops(draft) or not is_opioid(draft):
            return None
        neuropathic = self.case.indication(draft).grade in ("definite", "probable")
        return draft if neuropathic and self.case.exclusion(draft).because is None else None

    def _running(self, trial: Trial) -> MedicationOrder | None:
        """The listed order of an active trial."""
        if not trial.active or trial.agent is None:
            return None
        held = [o for o in self.case.kept if o.drug is not None and o.drug.has(trial.agent)]
        return next((order for order in held if order.ref == trial.ref), held[0] if held else None)

    def _objections(self, draft: MedicationOrder, stays: bool, order: PlainOrder) -> tuple[str, ...]:
        come = as_medication(order, self.case.today, draft.reasons)
        return self.second.objections(None if stays else draft, come)


def _after(ecg: PlainOrder | None, order: PlainOrder) -> PlainOrder:
    """The order, with the word that it waits for the ECG beside it."""
    if ecg is None:
        return order
    return replace(order, note=" ".join(filter(None, (order.note, SCHEDULES.words["ecg_after"]))))


MAKERS: Makers[LadderRemedies] = {
    "first_line": lambda remedies, finding: remedies.replacement("first_line", finding, ranked, most=2),
    "second_class": lambda remedies, finding: remedies.replacement("second_class", finding, ranked, most=2),
    "partner": lambda remedies, finding: remedies.replacement("partner", finding, partners, most=1),
    "titrate": LadderRemedies.titration,
    "keep_first_line": LadderRemedies.kept_first_line,
    "topical": LadderRemedies.topical,
    "tramadol": LadderRemedies.tramadol,
}


def agent_name(agent: str) -> str:
    return {"lidocaine_patch": "lidocaine 5 % patch", "capsaicin_patch": "capsaicin 8 % patch"}.get(agent, agent)


def _why_not(unknown: Iterable[str], withheld: list[str], withdrawn: list[str]) -> list[str]:
    """Why no order is proposed, in sentences."""
    sentences = []
    if unknown:
        sentences.append(f"No first-line order is proposed while this is not known: {', '.join(unknown)}.")
    if withheld:
        sentences.append(f"Not offered: {'; '.join(withheld)}.")
    if withdrawn:
        sentences.append(f"Withdrawn because of what its own review found: {'; '.join(withdrawn)}.")
    return sentences

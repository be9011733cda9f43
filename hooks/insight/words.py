"""What the dashboard says of a number and of a sign, in words."""

from collections.abc import Mapping
from datetime import date

from cds.knowledge import Knowledge
from hooks.insight.bands import ABOVE, BELOW
from hooks.insight.rates import Rate
from hooks.insight.signs import CALLS, FEEDBACK, INCOMPLETE, SCOPE, SILENT, UNKNOWN, UNREAD, Sign

SUBJECTS: Mapping[str, str] = {
    SCOPE: "Answers with an order in scope",
    CALLS: "Requests",
    INCOMPLETE: "Requests refused as incomplete",
    FEEDBACK: "Cards with feedback",
}
OF: Mapping[str, str] = {
    SCOPE: "answers",
    INCOMPLETE: "answers with orders in scope",
    FEEDBACK: "cards",
    UNKNOWN: "answers with orders in scope",
    UNREAD: "answers without an order in scope",
}


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < 0.0995 or 0.9905 <= share < 1 else f"{share:.0%}"


def interval(rate: Rate) -> str:
    """ "12–18%", as the interval of a rate is read."""
    if rate.interval is None:
        return ""
    low, high = (f"{100 * value:.1f}" if rate.interval[1] < 0.1 else f"{100 * value:.0f}" for value in rate.interval)
    return f"{low}–{high}%"


def day(when: date) -> str:
    return f"{when.day} {when:%b %Y}"


def title(sign: Sign, known: Mapping[str, Knowledge]) -> str:
    """What is wrong, in one line."""
    name = subject(sign.subject, known)
    return {
        CALLS: "Far fewer requests",
        SILENT: f"{name}: none any more",
        BELOW: f"{name}: fewer than before",
        ABOVE: f"{name}: more than before",
        UNKNOWN: f"{name}, more often than before",
    }[sign.kind]


def subject(name: str, known: Mapping[str, Knowledge]) -> str:
    if name in known:
        return f"{name} {known[name].title}"
    if name.startswith(UNREAD):
        return f"“{name.removeprefix(UNREAD)}” where no order was in scope"
    return SUBJECTS.get(name, f"“{name}”" if ":" in name else name)


def of_what(sign: Sign) -> str:
    if sign.subject.startswith(UNREAD):
        return OF[UNREAD]
    return OF.get(sign.subject) or (OF[UNKNOWN] if sign.kind == UNKNOWN else "orders in scope")


def sentence(sign: Sign) -> str:
    """The numbers: now, before, and what would have been within."""
    when = f"In the week from {day(sign.week)}" if sign.whole else f"Since {day(sign.week)}"
    before = f"the {sign.weeks} weeks before"
    if sign.before is None:
        return (
            f"{when} {sign.now.count:,} answers; the leanest of {before} had {sign.now.of:,}. Fewer than"
            f" {sign.low:,.0f}, half of that, is a sign."
        )
    usual = f"{percent(sign.before.share)} ({sign.before.count:,} of {sign.before.of:,}) in {before}"
    if sign.kind == SILENT:
        chance = "less than 1 in a million" if sign.chance is None or sign.chance < 1e-6 else _one_in(sign.chance)
        return (
            f"Since {day(sign.since)} none of {sign.now.of:,} {of_what(sign)}; {usual}. Were nothing wrong, the chance"
            f" of that would be {chance}."
        )
    return (
        f"{when} {percent(sign.now.share)} ({sign.now.count:,} of {sign.now.of:,} {of_what(sign)}); {usual}. Expected:"
        f" {percent(sign.low)} to {percent(sign.high)}."
    )


def _one_in(chance: float) -> str:
    return f"1 in {round(1 / chance, -3):,.0f}"


def advice(sign: Sign) -> str:
    """Where to look first."""
    if sign.versions:
        return "The knowledge changed since: compare the two versions first (docs/RULES.md, CHANGELOG.md)."
    if sign.kind == CALLS:
        return "Ask whether the EHR still calls this service, with which address and token."
    if sign.kind == UNKNOWN or sign.subject == INCOMPLETE:
        return "Compare a request of today with an older one: a prefetch key, a code system or a permission changed."
    if sign.subject == SCOPE:
        return "Drugs may no longer be recognised: compare the codes that are sent with those of earlier weeks."
    if sign.subject == FEEDBACK:
        return "Ask whether the EHR still sends feedback: without it nobody knows what became of cards."
    return "Compare requests with those of earlier weeks: what the rule looks at may no longer arrive."

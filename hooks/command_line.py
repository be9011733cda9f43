"""``firstline``: reviews a stored request, tells what stands behind a rule, lists the knowledge."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cds.evidence import Evidence, evidence_of
from cds.knowledge import Knowledge, KnowledgeError
from hooks.answer import Answerer
from hooks.bad_request import BadRequest
from hooks.insight.commands import InsightError
from hooks.insight.commands import add_commands as add_insight_commands
from hooks.knowledge_version import all_knowledge, knowledge_version
from hooks.protocol import EXPLAIN, HOOKS
from hooks.services import SERVICES
from hooks.settings import CONFIG, Settings, SettingsError, load
from hooks.tenants import OPEN, Tenant
from hooks.terminology.commands import add_commands
from hooks.terminology.errors import TerminologyError
from hooks.terminology.sites import read_sites

UNSIGNED = "No clinician has signed this content off."
COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}


class UseError(Exception):
    """What was asked cannot be done; the message says why, without what the file holds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status: 2 where it could not be done, 1 where it found what it looked for
    (``signs``)."""
    console = Console(highlight=False, soft_wrap=False)
    try:
        asked = _parser().parse_args(arguments)
        status: int | None = asked.run(asked, console)
    except SettingsError as error:
        for problem in error.problems:
            print(f"firstline: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    except (UseError, KnowledgeError, TerminologyError, InsightError) as error:
        print(f"firstline: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="firstline", description="Opioid orders, reviewed.", epilog=UNSIGNED)
    parser.add_argument("--version", action="version", version=f"firstline, knowledge {knowledge_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    review = commands.add_parser("review", help="print the cards of a stored hook request")
    review.add_argument("file", type=Path, help="a CDS Hooks request, as JSON")
    review.add_argument("--why", action="store_true", help="the outcome of every rule as well")
    review.add_argument("--json", action="store_true", help="the answer as it would be sent")
    review.add_argument(
        "--today", type=_date, help="the day of the review (YYYY-MM-DD; default: the settings', or today)"
    )
    review.add_argument("--client", metavar="NAME", help="as this client of the settings is answered")
    review.set_defaults(run=_review)
    evidence = commands.add_parser("evidence", help="what stands behind a rule")
    evidence.add_argument("rule", help="its id, as NP-01")
    evidence.set_defaults(run=_evidence)
    knowledge = commands.add_parser("knowledge", help="list rules, versions and overdue reviews")
    knowledge.add_argument("--today", type=_date, help="the day for overdue reviews (default: today)")
    knowledge.set_defaults(run=_knowledge)
    check = commands.add_parser("check", help="check a settings file: every error, with what to write")
    check.add_argument("file", type=Path, help="a TOML file, as FIRSTLINE_CONFIG names it")
    check.set_defaults(run=_check)
    add_commands(commands)
    add_insight_commands(commands)
    return parser


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day, as 2026-03-01") from None


def _now(asked: argparse.Namespace, settings: Settings | None = None) -> datetime:
    """The day that was asked for, else that of the settings, else today."""
    now = (settings.today if settings else None) or datetime.now(UTC)
    return now if asked.today is None else datetime.combine(asked.today, now.timetz())


# review


def _review(asked: argparse.Namespace, console: Console) -> None:
    settings = load()
    now = _now(asked, settings)
    answer = answer_of(asked.file, now, settings, why=asked.why, tenant=_client(asked.client, settings))
    if asked.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))  # noqa: T201
        return
    for card in answer["cards"]:
        console.print(_card(card))
    _print_view(answer["extension"]["firstline.review"], bool(answer["cards"]), console)
    console.print(f"Reviewed as of {now.date()}.")


def _client(name: str | None, settings: Settings) -> Tenant:
    """Whose numbers, codes and dialect the answer has."""
    if not settings.tenants and name is None:
        return settings.open
    found = next((tenant for tenant in settings.tenants if tenant.name == name), None)
    if found is None:
        names = ", ".join(tenant.name for tenant in settings.tenants) or "none are set"
        raise UseError(f"--client: name a client of the settings ({names})")
    return found


def answer_of(
    file: Path, now: datetime, settings: Settings, why: bool = False, tenant: Tenant = OPEN
) -> dict[str, Any]:
    """The answer to a stored request, by the service of its hook. Raises ``UseError``."""
    try:
        request = json.loads(file.read_bytes())
    except OSError:
        raise UseError(f"{file}: cannot be read: give a CDS Hooks request, as those of fixtures/") from None
    except ValueError:
        raise UseError(f"{file}: is not JSON: give a CDS Hooks request, as those of fixtures/") from None
    hook = request.get("hook") if isinstance(request, dict) else None
    service = next((service for service in SERVICES.values() if service.hook == hook), None)
    if service is None:
        raise UseError(f"{file}: hook: write one of {', '.join(HOOKS)}")
    if why:
        request["extension"] = {**(request.get("extension") or {}), EXPLAIN: True}
    try:
        status, body = Answerer(settings).answer(service, json.dumps(request).encode(), now, tenant)
    except BadRequest as error:
        raise UseError(str(error)) from None
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        raise UseError(answer["issue"][0]["diagnostics"])
    return answer


def _card(card: Mapping[str, Any]) -> Panel:
    lines = [f"**{card['summary']}**", card["detail"]]
    lines += [f"- [ ] {suggestion['label']}" for suggestion in card.get("suggestions", [])]
    colour = COLOURS[card["indicator"]]
    return Panel(Markdown("\n\n".join(lines)), title=card["indicator"].upper(), title_align="left", border_style=colour)


def _print_view(view: Mapping[str, Any], shown: bool, console: Console) -> None:
    if not view["inScope"]:
        console.print("Nothing in scope.")
    elif not shown:
        console.print("No card.")
    for label, key in (("Indication", "indication"), ("Ladder", "ladderState"), ("MME a day", "mmePerDay")):
        if key in view:
            console.print(f"{label}: {view[key]}")
    if "mmeAtLeast" in view:
        console.print(f"MME a day: at least {view['mmeAtLeast']}")
    for entry in view.get("notAssessed", []):
        console.print(Text(f"Not assessed: {entry}"))
    if "outcomes" in view:
        table = Table("Rule", "Order", "Outcome", "Why", title="Every rule")
        found = {(finding["rule"], finding["order"]): finding for finding in view.get("findings", ())}
        for outcome in view["outcomes"]:
            finding = found.get((outcome["rule"], outcome["order"]), {})
            table.add_row(outcome["rule"], outcome["order"], outcome["outcome"], Text(_because(outcome, finding)))
        console.print(table)


def _because(outcome: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    if "because" in outcome:
        return str(outcome["because"])
    if "missing" in outcome:
        return "; ".join(outcome["missing"])
    facts = "; ".join(f"{name} {value}" for name, value in finding.get("facts", {}).items())
    return ": ".join(filter(None, (str(outcome.get("indicator", "")), facts)))


# evidence and knowledge


def _evidence(asked: argparse.Namespace, console: Console) -> None:
    wanted = asked.rule.upper().replace("-", "")
    rule = next((rule for id_, rule in all_knowledge().items() if id_.replace("-", "") == wanted), None)
    if rule is None:
        raise UseError("there is no rule of this id; firstline knowledge lists them")
    console.print(Markdown(evidence_text(evidence_of(rule))))


def evidence_text(evidence: Evidence) -> str:
    """The evidence of one rule as Markdown."""
    rule = evidence.rule
    lines = [f"# {rule.id} {rule.title}", f"*{UNSIGNED}*"]
    if rule.indicator is not None:
        lines += [f"Usual indicator: **{rule.indicator}**.", f"What it says: {rule.words['default'].summary}"]
    lines += [f"What it looks at: {rule.looks_at}", f"What it cannot know: {rule.cannot_know}"]
    if rule.thresholds:
        lines.append("## Numbers")
        lines.append("\n".join(f"- {_number(rule, name)}" for name in rule.thresholds))
    lines += ["## Sources", f"Strength: {rule.strength}"]
    lines.append("\n".join(f"- [{source.label}]({source.url}): {source.says}" for source in rule.sources))
    if evidence.claims:
        lines += ["## Claims of the article that it carries", "\n".join(_claim(claim) for claim in evidence.claims)]
    if evidence.points:
        lines.append("## Imprecise or disputed")
        lines.append("\n".join(f"- {point.disputed} *Decided:* {point.decided}" for point in evidence.points))
    lines.append(f"Reviewed {rule.reviewed}, due again {rule.next_review}.")
    lines.append("\n".join(f"- {change.on}: {change.what}" for change in rule.changes))
    return "\n\n".join(lines)


def _number(rule: Knowledge, name: str) -> str:
    local = " (a local number: no source confirms it)" if name in rule.local else ""
    return f"{name.replace('_', ' ')}: {rule.thresholds[name]}{local}"


def _claim(claim: Any) -> str:
    return f"- {claim.id}: {claim.claim}" + (f" {claim.evidence}" if claim.evidence else "")


def _knowledge(asked: argparse.Namespace, console: Console) -> None:
    today = _now(asked).date()
    rules = sorted(all_knowledge().values(), key=lambda rule: rule.id)
    table = Table("Rule", "Group", "Title", "Indicator", "Reviewed", "Due", title=f"Knowledge {knowledge_version()}")
    for rule in rules:
        due = Text(f"{rule.next_review} overdue", "bold") if rule.next_review < today else Text(str(rule.next_review))
        table.add_row(rule.id, rule.group, rule.title, rule.indicator or "gate", str(rule.reviewed), due)
    console.print(table)
    overdue = sum(rule.next_review < today for rule in rules)
    console.print(f"{len(rules)} rules and gates, {overdue} overdue for review. {UNSIGNED}")


# check


def read_all(file: Path) -> Settings:
    """The settings of a file. Raises ``SettingsError`` with all that is wrong with them and the codes they name."""
    problems: list[str] = []
    try:
        settings = load({CONFIG: str(file)})
    except SettingsError as error:
        problems += error.problems
        if error.settings is None:
            raise
        settings = error.settings
    try:
        read_sites(settings)
    except SettingsError as error:
        problems += (f"{file}: {problem}" for problem in error.problems)
    if problems:
        raise SettingsError(*problems)
    return settings


def _check(asked: argparse.Namespace, console: Console) -> None:
    """Reads the file as the service would, without the environment."""
    settings = read_all(asked.file)
    console.print(Text(f"{asked.file}: no errors."), soft_wrap=True)
    if not settings.tenants:
        console.print("Open mode: whoever calls from this machine is answered, nobody else.")
    for tenant in settings.tenants:
        looser = sum(threshold.reason is not None for threshold in tenant.thresholds.values())
        servers = len(tenant.fhir_servers)
        told = [f"dialect {tenant.dialect or 'by the hook'}"]
        told.append(f"{servers or 'no'} FHIR server{'s' if servers > 1 else ''}")
        own = len(tenant.thresholds)
        told += [f"{own} number{'s' if own > 1 else ''} of its own ({looser} looser)"] if own else []
        console.print(
            Text(f"Client {tenant.name}: tokens of {', '.join(tenant.issuers)}; {'; '.join(told)}"), soft_wrap=True
        )


if __name__ == "__main__":
    sys.exit(main())

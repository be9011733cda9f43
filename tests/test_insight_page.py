"""The dashboard's page and its tables as CSV: the same numbers, guarded, and what an empty place says."""

import asyncio
import base64
import csv
import io
import re
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from hooks.insight import charts, sheets, view, words
from hooks.insight.rates import Rate
from hooks.insight.signs import signs
from hooks.insight.tally import Card, Place, Tally
from hooks.knowledge_version import all_knowledge
from tests.calling import an_app, call
from tests.insight_records import HERE, MONDAY, NOW, SELECT, answer, card, fed, fill, weeks_of
from tests.recorded import address

SECRET = "only-for-those-who-run-the-service"
SHEETS = ("weeks", "services", "groups", "rules", "reasons", "causes", "latency", "signs")
KNOWN = all_knowledge()


def app_on(url: str, **chosen: Any) -> Any:
    """The service, its records read at the moment of the tests."""
    app = an_app(database_url=url, **chosen)
    app.state.recorder.clock = lambda: NOW
    return app


def get(app: Any, path: str, **sent: Any) -> httpx.Response:
    try:
        return call(app, "GET", path, **sent)
    finally:
        asyncio.run(app.state.insight.aclose())


def records(tmp_path: Path) -> str:
    """Five weeks; a rule that fell silent in the last; two services, two clients."""
    answers, feedback = [], []
    for back in range(5):
        at = MONDAY - timedelta(weeks=back) + timedelta(hours=9)
        for n in range(60):
            name = f"{back}-{n}"
            fires = () if back == 0 else (("DD-01", 1, 0),)
            cards = (card(name, "sedation", "DD-01", "critical"),) if n % 3 == 0 and fires else ()
            answers.append(
                answer(
                    at + timedelta(minutes=n),
                    in_scope=1,
                    outcomes=fires,
                    cards=cards,
                    ms=1 + n / 10,
                    causes=(("egfr: none on record", 1),) if n % 2 else (),
                )
            )
            if n % 6 == 0:
                feedback.append(
                    fed(
                        name,
                        "accepted" if n % 12 else "overridden",
                        has_reason=True,
                        reason_code="Monitored" if n else None,
                    )
                )
        answers += [answer(at, service=SELECT), answer(at, tenant="<img src=x onerror=alert(1)>", in_scope=1)]
    return fill(address("sqlite", tmp_path), answers, feedback)


class _Tables(HTMLParser):
    """The text of every table of a page, by the name of its region."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.name = ""
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag == "div" and told.get("role") == "region":
            self.name = str(told["aria-label"]).removesuffix(", table")
        if tag == "table":
            self.tables[self.name] = []
        if tag == "tr":
            self.tables[self.name].append([])
        if tag in ("td", "th"):
            self.inside = True
            self.tables[self.name][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, text: str) -> None:
        if self.inside:
            self.tables[self.name][-1][-1] += text


def as_shown(header: list[str], row: list[str]) -> list[str]:
    """A row of a CSV as the page writes it."""
    shown: list[str] = []
    at = 0
    while at < len(row):
        cell = row[at]
        if at + 1 < len(header) and header[at + 1] == f"{header[at]}: of":
            rate = Rate(int(cell), int(row[at + 1]))
            low, high = rate.interval or (None, None)
            told = [round(value, 4) if value is not None else None for value in (rate.share, low, high)]
            assert [float(value) if value else None for value in row[at + 2 : at + 5]] == told
            shown.append(
                f"{words.percent(rate.share)} {words.interval(rate)} {rate.count:,} of {rate.of:,}" if rate.of else "–"
            )
            at += 5
            continue
        if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
            cell = words.day(date.fromisoformat(cell))
        shown.append(cell)
        at += 1
    return shown


def test_every_table_has_the_numbers_of_its_csv(tmp_path: Path) -> None:
    app = app_on(records(tmp_path))
    page = get(app, "/insight?weeks=4")
    assert page.status_code == 200
    tables = _Tables(page.text).tables
    names = {"rules": "Every rule", "services": "By client and service", "groups": "By group of cards"}
    names |= {"weeks": "Week by week", "reasons": "Why cards were overridden", "causes": "What could not be told"}
    names |= {"latency": "How long answers took"}
    for name, title in names.items():
        download = get(app, f"/insight/{name}.csv?weeks=4")
        header, *rows = csv.reader(io.StringIO(download.text))
        assert rows, name
        assert [as_shown(header, row) for row in rows] == tables[title][1:]
        assert download.headers["content-disposition"] == f'attachment; filename="firstline-{name}.csv"'
        assert download.headers["content-type"] == "text/csv; charset=utf-8"
    assert set(SHEETS) - set(names) == {"signs"}
    [header, sign, *_] = csv.reader(io.StringIO(get(app, "/insight/signs.csv?weeks=4").text))
    told = dict(zip(header, sign, strict=True))
    assert (told["Sign"], told["What"], told["Now"], told["Now: of"], told["Before: share"]) == (
        "silent",
        "DD-01",
        "0",
        "60",
        "1.0",
    )
    assert "Fell silent" in page.text and "DD-01 " in page.text
    assert told["In words"].partition(". ")[2] in page.text


def test_the_numbers_at_the_top_and_their_denominators(tmp_path: Path) -> None:
    page = re.sub(
        r"\s+",
        " ",
        re.sub(
            r"<[^>]+>", " ", get(app_on(records(tmp_path)), "/insight?service=firstline-order-sign&client=open").text
        ),
    )
    assert "300 Orders in scope in 300 of 300 answers" in page
    assert "80 Cards shown 0.3 for an answer in scope" in page
    assert f"25% Accepted 20 of 80 cards; {words.interval(Rate(20, 80))}" in page
    assert f"25% Overridden 20 of 80 cards; {words.interval(Rate(20, 80))}" in page
    assert f"50% Ignored 40 of 80 cards; {words.interval(Rate(40, 80))}" in page
    assert "3.9 ms Median answer 99 of 100 within 6.9 ms" in page


def test_a_choice_is_kept_and_what_is_no_choice_is_ignored(tmp_path: Path) -> None:
    app = app_on(records(tmp_path))
    page = get(app, f"/insight?weeks=26&service={SELECT}&client=open").text
    assert '<option value="26" selected>' in page and f'<option value="{SELECT}" selected>' in page
    assert (
        f"/insight/weeks.csv?weeks=26&amp;client=open&amp;service={SELECT}" in page
        or f"weeks=26&client=open&service={SELECT}" in page
    )
    assert "No card was shown in this time." in page
    usual = get(app, "/insight?weeks=5000&service=&client=").text
    assert '<option value="12" selected>' in usual
    nothing = get(app, "/insight?service=another").text
    assert "Nothing was answered in this time" in nothing and "Too early to tell" in nothing


def test_nothing_of_the_page_runs_or_comes_with_a_style_of_its_own(tmp_path: Path) -> None:
    response = get(app_on(records(tmp_path)), "/insight")
    page = response.text
    assert "style-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "<img" not in page and "&lt;img" in page
    assert " style=" not in page and "<style" not in page and " on" + "click" not in page
    assert len(re.findall(r"<script", page)) == len(re.findall(r'<script src="/static/theme.js"', page)) == 1
    assert page.count('class="chart" role="img" aria-label="') == page.count('<svg viewBox="0 0 640') + page.count(
        '<svg viewBox="0 0 330'
    )


@pytest.mark.parametrize("path", ["/insight", "/insight/rules.csv"])
def test_whoever_does_not_run_the_service_sees_nothing(path: str, tmp_path: Path) -> None:
    url = records(tmp_path)
    assert get(app_on(url), path).status_code == 200
    for app, sent in (
        (app_on(url), {"client": "192.0.2.7"}),
        (app_on(url, ops_token=SECRET), {}),
        (app_on(url, ops_token=SECRET), {"headers": basic("ops", SECRET + "x")}),
        (app_on(url, ops_token=SECRET), {"headers": {"Authorization": "Basic %%%"}}),
        (app_on(url, ops_token=SECRET), {"headers": {"Authorization": f"Basic {SECRET}"}}),
        (app_on(url, ops_token=SECRET), {"headers": [*basic("a", SECRET).items()] * 2}),
        (app_on(url), {"client": "192.0.2.7", "headers": basic("", "")}),
    ):
        refused = get(app, path, **sent)  # type: ignore[arg-type]
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert "DD-01" not in refused.text and SECRET not in refused.text
    for headers in (basic("", SECRET), basic("anybody", SECRET), {"Authorization": f"Bearer {SECRET}"}):
        assert get(app_on(url, ops_token=SECRET), path, client="192.0.2.7", headers=headers).status_code == 200


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


# Empty places


def test_without_a_database_the_page_says_how_to_record() -> None:
    app = an_app()
    page = get(app, "/insight")
    assert (page.status_code, "Nothing is recorded" in page.text, "database_url" in page.text) == (200, True, True)
    assert get(app, "/insight/rules.csv").status_code == 404


def test_before_the_first_answer_the_page_says_what_to_do(tmp_path: Path) -> None:
    app = app_on(fill(address("sqlite", tmp_path), []))
    page = get(app, "/insight")
    assert page.status_code == 200 and "No answer yet" in page.text and "firstline demo" in page.text
    download = get(app, "/insight/rules.csv")
    assert (download.status_code, len(download.text.splitlines())) == (200, 1)
    assert get(app, "/insight/everything.csv").status_code == 404


def test_a_database_that_is_down_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, OSError())

    app = app_on(f"sqlite:///{tmp_path / 'x.db'}")
    monkeypatch.setattr(app.state.insight.reader, "read", down)
    page = get(app, "/insight")
    assert page.status_code == 503 and "do not answer now" in page.text
    assert get(app, "/insight/rules.csv").status_code == 503


def test_records_without_trouble_feedback_or_cards_say_so(tmp_path: Path) -> None:
    answers = [
        answer(MONDAY - timedelta(weeks=back), in_scope=1, cards=(card(f"{back} {n}"),))
        for back in range(4)
        for n in range(5)
    ]
    page = get(app_on(fill(address("sqlite", tmp_path), answers)), "/insight").text
    assert "No sign" in page and "No feedback has come" in page
    assert "No card was overridden in this time." in page and "Everything could be assessed" in page
    young = get(app_on(fill(f"sqlite:///{tmp_path / 'young.db'}", answers[:6])), "/insight").text
    assert "Too early to tell" in young and "There is 1." in young


# Sheets and charts


def test_a_rule_and_a_reason_that_are_not_known_any_more_are_shown_by_their_names() -> None:
    tally = Tally(answers=3, reviewed=3, orders=3)
    tally.fires["OLD-1"] = 2
    for code in ("BeforeUs", "other", "", None, "TriedElsewhere"):
        tally.cards[Card("dose", "OLD-1", "overridden", code)] += 1
    [row] = sheets.rules(tally, KNOWN).rows
    assert row[:4] == ("OLD-1", "not in this version of the knowledge", None, Rate(2, 3))
    assert [reason for group, reason, _ in sheets.reasons(tally).rows if group == "Dose"] == [
        "A comment alone", "Another reason", "BeforeUs", "First-line drugs were tried and are not on this record",
        "No reason given",
    ]  # fmt: skip


def test_synthetic_records_say_so_in_every_row() -> None:
    sheet = sheets.Sheet("x", "X", ("What", "How often"), (("a", Rate(1, 2)), ("b", None), ('c,"d"', Rate(0, 0))))
    lines = sheets.written(sheet, True).splitlines()
    assert lines == [
        "What,How often,How often: of,How often: share,How often: low,How often: high,Records",
        "a,1,2,0.5,0.0945,0.9055,synthetic",
        "b,,,,,,synthetic",
        '"c,""d""",0,0,,,,synthetic',
    ]
    assert sheets.written(sheet, False).splitlines()[1] == "a,1,2,0.5,0.0945,0.9055"


def test_a_week_without_answers_has_no_latency() -> None:
    counted = tuple(weeks_of(Tally(answers=2, milliseconds=Tally().milliseconds), Tally(), place=Place("a", "b")))
    assert [row[1:] for row in sheets.latency(counted).rows] == [(0, None, None, None, Rate(0, 0))] * 2


def test_signs_of_the_same_thing_stand_together_each_place_with_its_course() -> None:
    other = Place("open", SELECT)
    few = [
        (week, {**tallies, other: Tally(answers=900 if tallies[HERE].answers > 9 else 8)})
        for week, tallies in weeks_of(*[Tally(answers=100)] * 3, Tally(answers=2), running=False)
    ]
    [told] = view.told_signs(signs(few), KNOWN)
    assert (told.kind, told.subject, len(told.places)) == ("calls", "Requests", 2)
    assert "Answers of firstline-order-sign, week by week: 100, 100, 100, 2." in told.places[1][3]
    gap = Tally(answers=10, reviewed=10)  # answers, and no order in scope: no rate in this week
    rule = Tally(answers=900, reviewed=900, orders=900, fires=Counter({"OLD-1": 90}))
    gone = Tally(answers=900, reviewed=900, orders=900)
    [silent] = view.told_signs(signs(weeks_of(rule, gap, rule, rule, gone)), KNOWN)
    assert (silent.kind, silent.subject) == ("silent", "OLD-1")
    assert "OLD-1 at firstline-order-sign, week by week: 10%, –, 10%, 10%, 0%." in silent.places[0][3]


@pytest.mark.parametrize(
    ("highest", "most", "told"),
    [
        (0, None, 1),
        (0.3, 1.0, 0.5),
        (0.51, 1.0, 1),
        (0.2, 1.0, 0.2),
        (0.03, 1.0, 0.05),
        (130, None, 200),
        (7, None, 10),
    ],
)
def test_axes_end_at_round_numbers(highest: float, most: float | None, told: float) -> None:
    assert charts._ceiling(highest, most) == pytest.approx(told)
    assert charts._steps(charts._ceiling(highest, most))[-1] == pytest.approx(told)


def test_a_chart_says_what_it_shows_and_escapes_it() -> None:
    drawn = charts.shares(["<b>x", "y"], [Rate(1, 2), Rate(0, 0)], 'says "<i>"')
    assert 'aria-label="says &quot;&lt;i&gt;&quot;"' in drawn and "&lt;b&gt;x" in drawn and "<b>" not in drawn
    assert 'class="series accepted"' in drawn and "1 of 2" in drawn
    long = charts.shares(["The suggested treatment is contraindicated for this patient", "y"], [Rate(1, 2)] * 2, "says")
    assert "is</tspan>" in long and ">contraindicated for this patient</tspan>" in long and "…" not in long
    lines = charts.latency(["a", "b"], [[1.0, 2.0], [1.0, 2.0], [None, None]], "says")
    assert [name in lines for name in ("median", "95th percentile", "99th percentile")] == [True, True, False]
    assert charts.cards_by_week(["a"], [[0], [0], [0]], "none")


def test_the_service_starts_without_the_library_that_draws() -> None:
    told = "import sys, hooks.app; sys.exit('pygal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False, cwd=Path(__file__).parents[1]).returncode == 0

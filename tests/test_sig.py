"""Dosage texts and what they mean, word for word."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds import sig, sig_words
from cds.chart import Dosage
from cds.sig import read_sig
from cds.units import word_set


def plain(value: Decimal | None) -> str:
    return "?" if value is None else f"{value.normalize():f}"


def shown(dosage: Dosage) -> str:
    """The fields of a dosage on one line: dose, times/hours, moments, prn, limit, length, route."""
    words = [f"#{dosage.sequence}"] if dosage.sequence else []
    if dosage.dose_high is not None:
        low, high = dosage.dose_low, dosage.dose_high
        from_ = "<=" if low is None else "" if low == high else f"{plain(low.value)}-"
        words.append(f"{from_}{plain(high.value)} {high.unit or ''}".strip())
    if dosage.period is not None:
        hours = [plain((days * 24).quantize(Decimal("0.0001"))) for days in (dosage.period, dosage.period_max) if days]
        times = "" if dosage.frequency is None else plain(dosage.frequency)
        if dosage.frequency_max is not None:
            times += f"{'-' if times else '<='}{plain(dosage.frequency_max)}"
        words.append(f"{times}x/{'-'.join(hours)}h")
    words += [f"when {dosage.when}"] if dosage.when else []
    words += [f"weekdays {dosage.days_of_week}"] if dosage.days_of_week else []
    words += ["prn"] if dosage.as_needed else []
    if dosage.max_dose is not None:
        unit = f" {dosage.max_dose.unit}" if dosage.max_dose.unit else ""
        words.append(f"max {plain(dosage.max_dose.value)}{unit}/{plain(dosage.max_dose_days)}d")
    words += [f"for {plain(dosage.bounds_days)}d"] if dosage.bounds_days else []
    words += [dosage.route] if dosage.route else []
    return ", ".join(words) or "nothing"


SIGS = {
    # orders as hospitals write them
    "1 tab q6h prn": "1 tab, 1x/6h, prn",
    "1 Tab PO Q4H": "1 tab, 1x/4h, oral",
    "1-2 TAB PO Q6H PRN": "1-2 tab, 1x/6h, prn, oral",
    "1 tablet Oral PRN": "1 tablet, prn, oral",
    "2 tab(s) PO q4hr": "2 tabs, 1x/4h, oral",
    "2 TAB ORAL Q4HRSPRN": "2 tab, 1x/4h, prn, oral",
    "5-10 mg Oral Q3H PRN": "5-10 mg, 1x/3h, prn, oral",
    "5 mg PO Q4H PRN": "5 mg, 1x/4h, prn, oral",
    "2 mg IV q2hr": "2 mg, 1x/2h, injection",
    "2 mg IV Push Q4H": "2 mg, 1x/4h, injection",
    "0.2-0.8 mg IV PACU USE ONLY": "0.2-0.8 mg, injection",
    "25-100 mcg IV": "25-100 mcg, injection",
    "1-2 mg IV": "1-2 mg, injection",
    "50 mcg/hr Titrate": "not understood",
    "25 MCG Topical Q72H": "25 mcg, 1x/72h, topical",
    "50 mcg/hr TP": "50 mcg/h, topical",
    "25 mcg/hr IV CONTINUOUS": "25 mcg/h, injection",
    "1,000 MCG IV TITRATE": "not understood",
    "15 mg PO/NG": "15 mg, oral",
    "5-10 mL NG": "5-10 ml, oral",
    "1 ZZ IV": "1, injection",
    # frequencies of hospitals
    "q4hr": "1x/4h",
    "q 4 hour PRN": "1x/4h, prn",
    "Q4H PRN": "1x/4h, prn",
    "Q6H PRN": "1x/6h, prn",
    "Q4HPRN": "1x/4h, prn",
    "Q4HP": "1x/4h, prn",
    "Q4HRSPRN": "1x/4h, prn",
    "Q1HPRN": "1x/1h, prn",
    "EVERY 4 HR PRN Routine": "1x/4h, prn",
    "Q72H": "1x/72h",
    "Q3H PRN": "1x/3h, prn",
    "q2hr": "1x/2h",
    "Q5 Min PRN": "1x/0.0833h, prn",
    "Q10 Min PRN": "1x/0.1667h, prn",
    "q5min H4": "not understood",
    "Q5MIN X5": "not understood",
    # places and orders that say no frequency
    "CONTINUOUS": "nothing",
    "POSTOP": "nothing",
    "ONCALL": "nothing",
    "SEEINSTR": "nothing",
    "OT": "nothing",
    "PACU USE ONLY": "nothing",
    "Pyxis": "nothing",
    "Manual Charge": "nothing",
    ".STK-MED": "nothing",
    "Titrate": "not understood",
    # frequencies
    "BID": "2x/24h",
    "TID": "3x/24h",
    "b.i.d.": "2x/24h",
    "t.i.d": "3x/24h",
    "QID prn": "4x/24h, prn",
    "QD": "1x/24h",
    "QOD": "1x/48h",
    "qhs": "when 1",
    "q hs prn": "when 1, prn",
    "qam": "when 1",
    "qam and qhs": "when 2",
    "daily": "1x/24h",
    "once daily": "1x/24h",
    "twice daily": "2x/24h",
    "twice a day": "2x/24h",
    "three times a day": "3x/24h",
    "3 times daily": "3x/24h",
    "3x/day": "3x/24h",
    "3 x daily": "3x/24h",
    "two to three times daily": "2-3x/24h",
    "2-3 times per day": "2-3x/24h",
    "bid-tid": "2-3x/24h",
    "bid to tid": "2-3x/24h",
    "BID or TID": "2-3x/24h",
    "every 12 hours": "1x/12h",
    "every twelve hours": "1x/12h",
    "every 4 to 6 hours": "1x/4-6h",
    "q4-6h": "1x/4-6h",
    "q4h-q6h": "1x/4-6h",
    "q4h to q6h prn": "1x/4-6h, prn",
    "every 4 hours to 6 hours as needed": "1x/4-6h, prn",
    "q 8 hrs": "1x/8h",
    "every 36 hours": "1x/36h",
    "every 3 days": "1x/72h",
    "every other day": "1x/48h",
    "every other night at bedtime": "1x/48h, when 1",
    "every day": "1x/24h",
    "every morning": "when 1",
    "every evening": "when 1",
    "every hour": "1x/1h",
    "q1h": "1x/1h",
    "6 hourly": "1x/6h",
    "4-6 hourly prn": "1x/4-6h, prn",
    "once a week": "1x/168h",
    "weekly": "1x/168h",
    "3 times a week": "3x/168h",
    "every monday": "weekdays 1",
    "on mondays, wednesdays and fridays": "weekdays 3",
    "at bedtime": "when 1",
    "nightly prn": "when 1, prn",
    "nocte": "when 1",
    "in the morning and at bedtime": "when 2",
    "at 8 am and 8 pm": "when 2",
    "8:30 am, 2 pm": "when 2",
    # one time
    "once": "1x/24h",
    "stat": "1x/24h",
    "x1": "1x/24h",
    # nothing said
    "as directed": "nothing",
    "use as directed by prescriber": "nothing",
    # amounts in words
    "take one tablet by mouth three times daily": "1 tablet, 3x/24h, oral",
    "one at bedtime": "1, when 1",
    "tablets: 2 nightly": "2 tablets, when 1",
    "take 1 bid": "1, 2x/24h",
    "Take a tablet every 6 hours": "1 tablet, 1x/6h",
    # fractions
    "take 1/2 tablet bid": "0.5 tablet, 2x/24h",
    "take ½ tablet bid": "0.5 tablet, 2x/24h",
    "half a tablet at night": "0.5 tablet, when 1",
    "one half tablet bid": "0.5 tablet, 2x/24h",
    "1 1/2 tabs qid": "1.5 tabs, 4x/24h",
    "1-1/2 tabs qid": "1.5 tabs, 4x/24h",
    "one and a half tablets twice a day": "1.5 tablets, 2x/24h",
    "one and one-half tablets twice a day": "1.5 tablets, 2x/24h",
    "1 ½ tabs daily": "1.5 tabs, 1x/24h",
    "0.5 of a tablet daily": "0.5 tablet, 1x/24h",
    ".5 tab daily": "0.5 tab, 1x/24h",
    # ranges
    "1/2-1 tab q4h prn": "0.5-1 tab, 1x/4h, prn",
    "1/2 to 1 tab q4h prn": "0.5-1 tab, 1x/4h, prn",
    "1 or 2 tablets every 4 hours": "1-2 tablets, 1x/4h",
    "one to two tablets every 4-6 hours as needed for pain": "1-2 tablets, 1x/4-6h, prn",
    "1–2 tablets q6h": "1-2 tablets, 1x/6h",
    "5 mg to 10 mg q4h prn": "5-10 mg, 1x/4h, prn",
    "10 mg bid": "10 mg, 2x/24h",
    # pieces and their strength
    "two 5 mg tablets every 6 hours": "10 mg, 1x/6h",
    "2 x 5 mg tablets bid": "10 mg, 2x/24h",
    "5 mg tablet: take 2 bid": "10 mg, 2x/24h",
    "10 mg tablet twice daily": "10 mg, 2x/24h",
    "1 tab (5 mg) bid": "5 mg, 2x/24h",
    "2 tabs (5 mg) bid": "2 tabs, 2x/24h",
    "2 tabs (10 mg total) bid": "10 mg, 2x/24h",
    "10 mg (2 tabs) bid": "10 mg, 2x/24h",
    "1 tab = 5 mg bid": "5 mg, 2x/24h",
    "5-325 mg tablet, 1 tab, PO, q4hr": "1 tab, 1x/4h, oral",
    "5/325 1 tab q6h": "1 tab, 1x/6h",
    "10 mg/325 mg 1 tab q6h": "1 tab, 1x/6h",
    "5 mg-325 mg oral tablet 2 tab(s) q4hr": "2 tabs, 1x/4h, oral",
    "1 small tablet q8h": "1 tablet, 1x/8h",
    # liquids
    "7.5 ml (15 mg) q4h": "15 mg, 1x/4h",
    "10 mg/5 ml: take 5 ml q4h": "5 ml, 1x/4h",
    "5 mL of 20 mg/mL solution q4h": "5 ml, 1x/4h",
    "1 tsp q4h prn": "1 tsp, 1x/4h, prn",
    "1 teaspoonful every 4 hours": "1 teaspoonful, 1x/4h",
    "1 tablespoon daily": "1 tablespoon, 1x/24h",
    # other amounts
    "2 g tid": "2 g, 3x/24h",
    # patches, films, sprays
    "1 patch every 3 days": "1 patch, 1x/72h, transdermal",
    "apply 1 patch (25 mcg/hr) every 72 hours": "25 mcg/h, 1x/72h, transdermal",
    "2 patches (25 mcg/hr) every 72 hours": "50 mcg/h, 1x/72h, transdermal",
    "25 mcg/hr patch q72h": "25 mcg/h, 1x/72h, transdermal",
    "Apply one patch every 72 hours": "1 patch, 1x/72h, transdermal",
    "place 1 film under the tongue daily": "1 film, 1x/24h",
    "1 spray in nostril q4h prn": "1 spray, 1x/4h, prn, nasal",
    "1 spray in each nostril daily": "not understood",
    "1-2 sprays in both nostrils daily": "not understood",
    "apply 1 patch daily, 12 hours on, 12 hours off": "1 patch, 1x/24h, transdermal",
    "apply 1 patch daily for 12 hours": "1 patch, 1x/24h, transdermal",
    # as order forms print them
    "Take 1 tablet (5 mg total) by mouth every 6 (six) hours as needed for pain.": "5 mg, 1x/6h, prn, oral",
    (
        "Take 0.5-1 tablets (2.5-5 mg total) by mouth every 4 (four) hours as needed "
        "for moderate pain or severe pain (pain scale 4-6). Max Daily Amount: 30 mg."
    ): "2.5-5 mg, 1x/4h, prn, max 30 mg/1d, oral",
    # limits
    "1-2 tabs PO q4-6h prn pain max 8/day": "1-2 tabs, 1x/4-6h, prn, max 8 tabs/1d, oral",
    "1 tab q4h prn, max 6 tablets per day": "1 tab, 1x/4h, prn, max 6 tablets/1d",
    "1 tab po q4h prn, not to exceed 6 tablets in 24 hours": "1 tab, 1x/4h, prn, max 6 tablets/1d, oral",
    "do not take more than 8 tablets in any 24 hour period. 2 tabs q4h": "2 tabs, 1x/4h, max 8 tablets/1d",
    "no more than 4 tablets a day": "max 4 tablets/1d",
    "5 mg q4h prn max 4/day": "5 mg, 1x/4h, prn, max 4 {dose}/1d",
    "5 mg q4h prn max 4 doses per day": "5 mg, 1x/4h, prn, max 4 {dose}/1d",
    "5 mg q4h prn, maximum daily dose: 20 mg": "5 mg, 1x/4h, prn, max 20 mg/1d",
    "1 tab q4h prn mdd 4": "1 tab, 1x/4h, prn, max 4 tab/1d",
    "1 tab q4h prn nte 4/24 hr": "1 tab, 1x/4h, prn, max 4 tab/1d",
    "1 tab q6h prn max 4 g acetaminophen per day": "1 tab, 1x/6h, prn",
    "1 tab q6h prn, do not exceed 4000 mg of acetaminophen from all sources in 24 hours": "1 tab, 1x/6h, prn",
    "1 tab q6h prn max 2 tabs": "1 tab, 1x/6h, prn",
    "take more than 2 tablets": "not understood",
    "1 tab q6h max 4/day max 6/day": "not understood",
    "up to 8 tablets per day": "max 8 tablets/1d",
    "up to 2 tablets every 6 hours": "<=2 tablets, 1x/6h",
    "1 tab up to 4 times a day": "1 tab, <=4x/24h",
    "take up to 4 times daily as needed": "<=4x/24h, prn",
    # numbers that are no amounts
    "1 tab q6h prn pain 4-6": "1 tab, 1x/6h, prn",
    "1 tab q6h prn pain scale (7/10)": "1 tab, 1x/6h, prn",
    "1 tab q6h prn severe pain (7-10)": "1 tab, 1x/6h, prn",
    "prn pain 1 tab q6h": "1 tab, 1x/6h, prn",
    "1 tab q6h x 7 days": "1 tab, 1x/6h, for 7d",
    "1 tab q6h for 2 weeks": "1 tab, 1x/6h, for 14d",
    "1 tab bid for up to 5 days": "1 tab, 2x/24h, for 5d",
    "1 tab q6h x 10 doses": "1 tab, 1x/6h",
    "1 tab q6h #30": "1 tab, 1x/6h",
    "1 tab q6h disp 30 tablets, refills: 0": "1 tab, 1x/6h",
    "1 tab bid 7 day supply": "1 tab, 2x/24h",
    # several doses
    "2 tabs in the morning and 1 tab at bedtime": "2 tabs, when 1 + 1 tab, when 1",
    "1 capsule in the morning, 1 capsule at noon and 2 capsules at bedtime": (
        "1 capsule, when 1 + 1 capsule, when 1 + 2 capsules, when 1"
    ),
    "1 tab bid and 1 tab q4h prn": "1 tab, 2x/24h + 1 tab, 1x/4h, prn",
    # tapers
    "1 tab tid x 7 days then 1 tab bid x 7 days then stop": "#1, 1 tab, 3x/24h, for 7d + #2, 1 tab, 2x/24h, for 7d",
    "2 tabs bid for 7 days, then daily for 7 days": "#1, 2 tabs, 2x/24h, for 7d + #2, 2 tabs, 1x/24h, for 7d",
    "1 tab tid then 2 tabs": "not understood",
    "1 tab tid then prn": "not understood",
    "10 mg stat then 5 mg q6h": "#1, 10 mg, 1x/24h + #2, 5 mg, 1x/6h",
    # meals
    "1 tab with meals and at bedtime": "1 tab, when 4",
    "1 tab tid with meals": "1 tab, 3x/24h",
    "take with food": "nothing",
    "1 tab tid ac": "1 tab, 3x/24h",
    "1 tab tid and hs": "not understood",
    "1 tab bid in the morning and evening": "1 tab, 2x/24h, when 2",
    "1 capsule daily at bedtime": "1 capsule, 1x/24h, when 1",
    "1 tab daily in the morning and at night": "1 tab, 1x/24h, when 2",
    # what is not clear
    "1 tab q6h, may repeat in 1 hour": "not understood",
    "increase by 1 tab every 3 days": "not understood",
    "300 mg tid in 3 divided doses": "not understood",
    "1 tab q6h alternate with ibuprofen": "not understood",
    "1 tab or 2 tabs q6h": "not understood",
    "1-2 5002 Q4H PRN": "not understood",
    "oxycodone 5 q6h": "not understood",
    "1 tab q6": "not understood",
    "1 tab every 6": "not understood",
    "1 tab 30 minutes before bed": "1 tab, when 1",
    "1 tab 2 hours after food": "not understood",
    "5 mg/kg daily": "not understood",
    "50 mcg/kg/hr": "not understood",
    "1 tab bid q6h": "not understood",
    "٢ tablets daily": "not understood",
    "1/3 tab daily": "not understood",
    "0 mg q4h": "0 mg, 1x/4h",
    "1 tab q0h": "not understood",
    "2 tabs 1 patch daily": "not understood",
    "1 tab 5 mg 10 mg daily": "not understood",
    "1 tab every 6 hours every 6 hours": "1 tab, 1x/6h",
    # more of each
    "8/2 1 film daily": "not understood",
    "Take 1 tablet by mouth every 8 (eight) hours as needed for severe pain (7-10 out of 10).": (
        "1 tablet, 1x/8h, prn, oral"
    ),
    "Place 1 patch onto the skin every 72 (seventy-two) hours.": "1 patch, 1x/72h, transdermal",
    "Take 1 tablet by mouth 2 (two) times daily.": "1 tablet, 2x/24h, oral",
    "Take 2 in the morning and 1 at night": "2, when 1 + 1, when 1",
    "Take 2.5 mL (5 mg total) by mouth every 4 hours": "5 mg, 1x/4h, oral",
    "1 po q4-6h prn": "1, 1x/4-6h, prn, oral",
    "0,5 mg bid": "not understood",
    "1 tab bid for 30 (thirty) days": "1 tab, 2x/24h, for 30d",
    "1 TABLET BY MOUTH EVERY 4-6HRS AS NEEDED": "1 tablet, 1x/4-6h, prn, oral",
    "8-2 mg film daily": "1x/24h",
    "2-1 tabs daily": "not understood",
    "butalbital 50-325-40 mg 1 cap q4h": "1 cap, 1x/4h",
    "1 tab q6h prn pain 4-6 or 7/10": "1 tab, 1x/6h, prn",
    "tab 5 mg bid": "5 mg, 2x/24h",
    "5 %  1 patch daily": "1 patch, 1x/24h, transdermal",
    "1 tab with 2 refills bid": "1 tab, 2x/24h",
    "nasal spray 1 spray q6h": "1 spray, 1x/6h, nasal",
    "1 tab at bedtime, 1 refill": "1 tab, when 1",
    "1 tab q4h-5": "not understood",
    "1 tab 12": "not understood",
    "25 mcg/actuation 1 spray q6h": "1 spray, 1x/6h",
    "10 mg per tablet daily": "not understood",
    "5 mg-10 mg q4h": "5-10 mg, 1x/4h",
    "x 3": "not understood",
    "1 tab bid supply": "1 tab, 2x/24h",
    "1 tab q6h up to": "<=1 tab, 1x/6h",
    "1 tab max": "1 tab",
    "max 3": "nothing",
    "no more than 6 tabs of acetaminophen daily": "nothing",
    "1 tab po daily by mouth iv": "1 tab, 1x/24h, injection",
    "10 mg 5 ml 2 tabs": "not understood",
    "5 ml 2 mg 3 mcg": "not understood",
    "1 tab 2 ml daily": "not understood",
    "25 mcg/hr 50 mcg daily": "not understood",
    "1 tab bid, limit 3 doses in 12 hours": "1 tab, 2x/24h, max 3 {dose}/0.5d",
    "1 tab q4h max 6 tabs per day from all sources": "1 tab, 1x/4h, max 6 tabs/1d",
    "1 tab twice": "not understood",
    "qday": "1x/24h",
    "qid with meals and at bedtime": "not understood",
    "tid and at 10 pm, 2 pm, 6 am": "3x/24h, when 3",
    "every 6 (six) hours": "1x/6h",
    "1 (one) to 2 (two) tablets every 4 (four) to 6 (six) hours as needed": "1-2 tablets, 1x/4-6h, prn",
    "for 7 (seven) days 1 tab daily": "1 tab, 1x/24h, for 7d",
    "max 4 (four) tablets daily 1 tab q4h": "1 tab, 1x/4h, max 4 tablets/1d",
    "2 capsules each morning": "2 capsules, when 1",
    "1 tab q4h prn if pain is greater than 4": "1 tab, 1x/4h, prn",
    "1 tab monthly": "1 tab, 1x/720h",
    "1 suppository rectally q12h": "1 suppository, 1x/12h",
    "1 tab every hour while awake": "1 tab, 1x/1h",
    "1 tab in the am, 1 tab in the pm": "1 tab, when 1 + 1 tab, when 1",
    "take 1-2 twice daily if needed": "1-2, 2x/24h, prn",
}


@pytest.mark.parametrize("text", SIGS)
def test_sig(text: str) -> None:
    assert (" + ".join(shown(dosage) for dosage in read_sig(text)) or "not understood") == SIGS[text]


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(SIGS) >= 100
    assert sum(meaning == "not understood" for meaning in SIGS.values()) >= 20


@pytest.mark.parametrize("text", SIGS)
def test_case_and_spaces_do_not_matter(text: str) -> None:
    assert read_sig("  " + text.upper().replace(" ", "   ") + "  ") == read_sig(text)


def test_a_dosage_of_ten_kilobytes_is_a_letter() -> None:
    assert read_sig("1 tab q6h prn " * 800) == ()


def test_an_unread_number_makes_the_whole_text_unread() -> None:
    assert read_sig("1 tab q6h") != ()
    assert read_sig("1 tab q6h, 17 of them on holidays") == ()


@pytest.mark.parametrize("word", sorted(sig_words.DENIED))
def test_words_that_change_the_meaning(word: str) -> None:
    assert read_sig(f"1 tab q6h {word}") == ()


@pytest.mark.parametrize("text", ["", " ", "\n", "-", "()", "q", "every", "each", "up to", "for", "x", "max", "/", "."])
def test_texts_that_say_nothing(text: str) -> None:
    assert read_sig(text) == (Dosage(),)


SCRAPS = st.sampled_from(
    sorted(
        word_set(
            "0 1 2 3 4 6 8 12 24 99 0.5 1-2 1/2 one half tab tabs mg mcg/hr ml patch q h prn q6h every other day daily "
            "bid times x for max up to more than not then and morning at bedtime hours total each pain per monday "
            "acetaminophen . , ; : - / ( ) # % ½ ="
        )
    )
)


@given(st.lists(SCRAPS, max_size=25).map(" ".join) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for dosage in read_sig(text):
        assert dosage.dose_high is None or dosage.dose_high.value >= 0
        assert dosage.period is None or dosage.period > 0
        assert dosage.max_dose is None or dosage.max_dose_days is not None


@given(st.integers(1, 40), st.integers(1, 24), st.sampled_from(["tab", "tablets", "mg", "mcg", "mL"]))
def test_dose_and_interval_are_read_back(amount: int, hours: int, unit: str) -> None:
    (dosage,) = read_sig(f"{amount} {unit} every {hours} hours")
    assert dosage.dose_high is not None
    assert (dosage.dose_high.value, dosage.dose_high.unit) == (amount, unit.lower())
    assert dosage.period is not None
    assert round(dosage.period * 24, 9) == hours


def test_the_same_text_is_read_once() -> None:
    sig._read.cache_clear()
    assert read_sig("7 mg tid") is read_sig("7 mg tid")
    assert sig._read.cache_info().misses == 1

"""The ``firstline`` command: what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from hooks.command_line import main

FIXTURES = Path(__file__).parent.parent / "fixtures"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    said = capsys.readouterr()
    return status, " ".join(said.out.split()), said.err


def stored(name: str) -> str:
    return str(FIXTURES / f"{name}.request.json")


def test_a_card_is_printed_as_a_person_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "review", stored("clonazepam-active"), "--today", "2026-03-01")
    assert status == 0
    assert "CRITICAL" in out
    assert "Oxycodone with clonazepam" in out
    assert "Do not start oxycodone" in out
    assert "MME a day: 30" in out


def test_silence_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing in scope." in run(capsys, "review", stored("amoxicillin"))[1]
    assert "No card." in run(capsys, "review", stored("cancer-pain"), "--today", "2026-03-01")[1]


def test_what_was_not_assessed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "review", stored("dose-not-told"), "--today", "2026-03-01")[1]
    assert "MME a day: at least 30" in out
    assert "Not assessed: dose of MedicationRequest/m1: no dose" in out


def test_why_tells_the_outcome_of_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "review", stored("clonazepam-active"), "--today", "2026-03-01", "--why")[1]
    for words in (
        "DD-01",
        "fires",
        "NP-01",
        "does not apply",
        "acute pain",
        "DD-06",
        "cannot tell",
        "partner clonazepam",
    ):
        assert words in out


def reviewed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status, out, err = run(capsys, "review", stored("clonazepam-active"), *arguments)
    assert status == 0, err
    return out


def test_a_request_is_reviewed_as_the_site_answers_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("FIRSTLINE_CONFIG", str(file))
    file.write_text("today = 2026-03-01T09:00:00Z\n[open.thresholds.DD-23]\nmme_per_day = 20\n", encoding="utf-8")
    out = reviewed(capsys)
    assert "Reviewed as of 2026-03-01." in out and "30 MME a day after this order" in out
    file.write_text(
        'public_url = "https://cds.example.org"\n'
        '[tenants.a]\nissuers = ["https://a.example.org"]\njku = ["https://a.example.org/keys"]\n'
        '[tenants.b]\nissuers = ["https://b.example.org"]\njku = ["https://b.example.org/keys"]\n'
        "[tenants.b.thresholds.DD-23]\nmme_per_day = 20\n",
        encoding="utf-8",
    )
    chosen = ("--today", "2026-03-01", "--client")
    assert "30 MME a day after this order" in reviewed(capsys, *chosen, "b")
    assert "30 MME a day after this order" not in reviewed(capsys, *chosen, "a")
    for wrong in ((), ("--client", "c")):
        status, _, err = run(capsys, "review", stored("clonazepam-active"), *wrong)
        assert status == 2 and "--client: name a client of the settings (a, b)" in err


def test_a_client_is_named_only_where_there_are_clients(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "review", stored("clonazepam-active"), "--client", "a")
    assert status == 2 and "none are set" in err


def test_a_day_that_is_none_is_refused_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["review", stored("clonazepam-active"), "--today", "2026-3-1"])
    assert "write a day, as 2026-03-01" in capsys.readouterr().err


def test_a_rule_is_found_however_its_id_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "evidence", "dd01")[1] == run(capsys, "evidence", "DD-01")[1]


def test_everything_that_is_wrong_with_a_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('port = -1\nlocal_codes = "no.csv"\nterminology = "no.db"\nfhir_ca_file = "no.pem"\n')
    status, _, err = run(capsys, "check", str(file))
    assert status == 2
    for words in ("port: write", "local_codes: no.csv", "terminology: ", "fhir_ca_file: give"):
        assert words in err
    assert err.count(f"{file}: ") == 4


def test_the_authorities_are_found_from_the_folder_of_the_settings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    certifi = Path(__import__("certifi").where())
    (tmp_path / "ca.pem").write_bytes(certifi.read_bytes())
    file = tmp_path / "settings.toml"
    file.write_text('fhir_ca_file = "ca.pem"\n')
    assert run(capsys, "check", str(file))[0] == 0


def test_json_is_the_answer_as_sent(capsys: pytest.CaptureFixture[str]) -> None:
    main(["review", stored("clonazepam-active"), "--today", "2026-03-01", "--json"])
    answer = json.loads(capsys.readouterr().out)
    expected = json.loads((FIXTURES / "clonazepam-active.response.json").read_text(encoding="utf-8"))
    assert [card["uuid"] for card in answer["cards"]] == [card["uuid"] for card in expected["cards"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "request.json: cannot be read: give a CDS Hooks request"),
        ("{", "request.json: is not JSON"),
        ("[]", "request.json: hook: write one of order-select, order-sign"),
        ('{"hook": "patient-view"}', "request.json: hook: write one of order-select, order-sign"),
        ('{"hook": "order-sign"}', "context:"),
    ],
)
def test_what_cannot_be_reviewed_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "request.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    status, _, err = run(capsys, "review", str(file))
    assert status == 2
    assert words in err


def test_a_chart_of_which_nothing_is_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "review", stored("nothing-sent"))
    assert status == 2
    assert "neither patient nor medications nor conditions were sent" in err


def test_evidence_names_sources_and_says_who_did_not_sign(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "evidence", "dd-02")
    assert status == 0
    assert "DD-02 Opioid with a gabapentinoid" in out
    assert "a local number: no source confirms it" in out
    assert "No clinician has signed this content off." in out
    assert "SEED-24" in out


def test_an_unknown_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "evidence", "XX-99")
    assert status == 2
    assert "there is no rule of this id" in err


def test_knowledge_lists_what_is_overdue(capsys: pytest.CaptureFixture[str]) -> None:
    assert " 0 overdue for review" in run(capsys, "knowledge", "--today", "2026-12-01")[1]
    late = run(capsys, "knowledge", "--today", "2030-01-01")[1]
    assert " 0 overdue for review" not in late
    assert "overdue" in late

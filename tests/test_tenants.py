"""Clients in the settings file: what each may have, every error at once, and that each is answered in its own way."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds.case import Case
from cds.knowledge import Knowledge
from cds.local_numbers import STRICTER, is_looser, standard_number
from hooks.app import create_app
from hooks.command_line import main
from hooks.security import NotAuthenticatedError, Trust
from hooks.settings import Settings, SettingsError, load
from hooks.tenants import OPEN, Tenant, Threshold
from tests.calling import SIGN, an_app, call
from tests.clients import DISCOVERY, EC, ISSUER, NOW, PUBLIC, RSA, TODAY, signed, stored_jwks
from tests.fixtures import FOLDER, service_of

Write = Callable[[str], Path]
OWN = "tenants.north.thresholds."
SITE = f'public_url = "{PUBLIC}"\n'
NORTH = f'[tenants.north]\nissuers = ["{ISSUER}"]\njwks = "jwks.json"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file beside a key set."""
    stored_jwks(tmp_path, EC, RSA)

    def written(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def loaded(path: Path) -> Settings:
    return load({"FIRSTLINE_CONFIG": str(path)})


WHOLE = f"""
host = "0.0.0.0"
port = 8081
public_url = "{PUBLIC}"
token_algorithms = ["ES384"]

[tenants.north]
issuers = ["{ISSUER}", "https://old.example.org"]
jku = ["https://ehr.example.org/jwks.json"]
jwks = "jwks.json"
fhir_servers = ["https://fhir.example.org/r4/"]
fhir_version = "STU3"
dialect = "epic"
info_cards = false
explain = false
time_zone = "Europe/Vienna"
local_codes = "codes.csv"

[tenants.north.thresholds.DD-23]
mme_per_day = 40

[tenants.north.thresholds.SAF-06]
test_days = {{ value = 400, reason = "the laboratory is far away" }}

[tenants.south-2]
issuers = ["https://south.example.org"]
jku = ["http://127.0.0.1:9/jwks.json"]
"""


def test_a_client_is_read_whole(write: Write, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("local_code,display\n", encoding="utf-8")
    settings = loaded(write(WHOLE))
    north, south = settings.tenants
    assert settings.host == "0.0.0.0"
    assert settings.token_algorithms == ("ES384",)
    assert north == Tenant(
        name="north",
        issuers=(ISSUER, "https://old.example.org"),
        jku=("https://ehr.example.org/jwks.json",),
        jwks=str(tmp_path / "jwks.json"),
        fhir_servers=("https://fhir.example.org/r4",),
        fhir_version="STU3",
        dialect="epic",
        info_cards=False,
        explain=False,
        time_zone="Europe/Vienna",
        local_codes=tmp_path / "codes.csv",
        thresholds={
            "DD-23.mme_per_day": Threshold(Decimal(40)),
            "SAF-06.test_days": Threshold(Decimal(400), "the laboratory is far away"),
        },
    )
    assert south == Tenant(
        name="south-2", issuers=("https://south.example.org",), jku=("http://127.0.0.1:9/jwks.json",)
    )
    assert not north.is_open


def test_callers_from_this_machine_may_have_a_dialect(write: Write) -> None:
    settings = loaded(write('[open]\ndialect = "sandbox"\nfhir_servers = ["http://localhost:8090/fhir"]\n'))
    assert settings.tenants == ()
    assert settings.open == Tenant(dialect="sandbox", fhir_servers=("http://localhost:8090/fhir",))
    assert settings.open.is_open
    assert Settings().open is OPEN


WRONG: dict[str, tuple[str, str]] = {
    "no public address": (NORTH, "public_url: with clients under [tenants], write the https address"),
    "a public address in the clear": ('public_url = "http://cds.example.org"\n' + NORTH, "public_url: with clients"),
    "a public address that is none": ('public_url = "cds"\n' + NORTH, "public_url: write an absolute address"),
    "none": (SITE + 'token_algorithms = ["none"]\n' + NORTH, "token_algorithms: none and symmetric"),
    "symmetric": (SITE + 'token_algorithms = ["ES384", "hs256"]\n' + NORTH, "token_algorithms: none and symmetric"),
    "no algorithm": (SITE + "token_algorithms = []\n" + NORTH, "token_algorithms: write one or more of ES256"),
    "an unknown one": (SITE + 'token_algorithms = ["ES1"]\n' + NORTH, "token_algorithms: write one or more of ES256"),
    "not a list": (SITE + 'token_algorithms = 5\n' + NORTH, "token_algorithms: write a list of texts"),
    "tokens for ever": (SITE + "token_lifetime_seconds = 100000\n" + NORTH, "token_lifetime_seconds: write a number"),
    "a wrong clock": (SITE + "clock_skew_seconds = -1\n" + NORTH, "clock_skew_seconds: write a number from 0"),
    "open as well": (SITE + '[open]\ndialect = "epic"\n' + NORTH, "open: with clients under [tenants] nobody"),
    "a fixed day for others": (
        SITE + 'host = "0.0.0.0"\ntoday = 2026-03-01\n' + NORTH, "today: a fixed day is for demonstrations",
    ),
    "clients that are no tables": ("tenants = 5\n", "tenants: write a table for each client"),
    "a client that is no table": (SITE + "[tenants]\nnorth = 5\n", "tenants.north: write a table: [tenants.north]"),
    "an odd name": (SITE + NORTH.replace(".north", '."Nörth"'), "tenants.Nörth: name a client in small letters"),
    "an unknown key": (SITE + NORTH + "isuers = 1\n", "tenants.north.isuers: unknown setting"),
    "no issuer": (SITE + '[tenants.north]\njwks = "jwks.json"\n', "tenants.north.issuers: write the exact iss"),
    "no keys": (SITE + '[tenants.north]\nissuers = ["a"]\n', "tenants.north.jwks: give a file or an https address"),
    "an issuer that is no list": (
        SITE + '[tenants.north]\nissuers = "a"\njwks = "jwks.json"\n', "tenants.north.issuers: write a list of texts",
    ),
    "an empty claim": (SITE + NORTH + 'token_tenant = " "\n', "tenants.north.token_tenant: write a text"),
    "keys in the clear": (SITE + NORTH + 'jku = ["http://ehr.example.org/j"]\n', "tenants.north.jku: write https"),
    "keys with a password": (SITE + NORTH + 'jku = ["https://a:b@e.example.org"]\n', "tenants.north.jku: write https"),
    "keys with a fragment": (SITE + NORTH + 'jku = ["https://e.example.org/#a"]\n', "tenants.north.jku: write https"),
    "a key address in the clear": (
        SITE + NORTH.replace("jwks.json", "http://ehr.example.org/jwks"), "tenants.north.jwks: write an https address",
    ),
    "a key file that is not there": (
        SITE + NORTH.replace("jwks.json", "gone.json"), "tenants.north.jwks: the file cannot be read",
    ),
    "a key file that is none": (
        SITE + NORTH.replace("jwks.json", "settings.toml"), "tenants.north.jwks: is no key set",
    ),
    "a server in the clear": (
        SITE + NORTH + 'fhir_servers = ["http://fhir.example.org"]\n', "tenants.north.fhir_servers: write https",
    ),
    "a server that is none": (SITE + NORTH + 'fhir_servers = ["fhir"]\n', "tenants.north.fhir_servers: write https"),
    "an unknown version": (SITE + NORTH + 'fhir_version = "R6"\n', "tenants.north.fhir_version: write one of STU3"),
    "an unknown dialect": (
        SITE + NORTH + 'dialect = "cerner"\n', "tenants.north.dialect: write one of 1.0, 2.0, epic, sandbox, in quotes",
    ),
    "a number as dialect": (SITE + NORTH + "dialect = 2.0\n", "tenants.north.dialect: write one of"),
    "perhaps": (SITE + NORTH + 'explain = "no"\n', "tenants.north.explain: write true or false"),
    "no such zone": (SITE + NORTH + 'time_zone = "Middle/Earth"\n', "tenants.north.time_zone: write a name"),
    "no such codes": (SITE + NORTH + 'local_codes = "gone.csv"\n', "tenants.north.local_codes: the file cannot be"),
    "thresholds that are none": (SITE + NORTH + "thresholds = 5\n", "tenants.north.thresholds: write a table for each"),
    "a threshold that is no table": (
        SITE + NORTH + "[tenants.north.thresholds]\nDD-23 = 5\n", "tenants.north.thresholds.DD-23: write a table",
    ),
    "a number that is not the site's": (
        SITE + NORTH + "[tenants.north.thresholds.DD-01]\ngap_days = 5\n",
        "tenants.north.thresholds.DD-01.gap_days: is no number that a site may set",
    ),
    "looser without a reason": (
        SITE + NORTH + "[tenants.north.thresholds.DD-23]\nmme_per_day = 60\n",
        'tenants.north.thresholds.DD-23.mme_per_day: is looser than 50: write { value = 60, reason = "why" }',
    ),
    "looser without a word": (
        SITE + NORTH + '[tenants.north.thresholds.DD-23]\nmme_per_day = { value = 60, reason = "" }\n',
        "tenants.north.thresholds.DD-23.mme_per_day.reason: write why",
    ),
    "no number": (
        SITE + NORTH + '[tenants.north.thresholds.DD-23]\nmme_per_day = "40"\n',
        OWN + "DD-23.mme_per_day: write a number above 0",
    ),
    "not a number": (
        SITE + NORTH + "[tenants.north.thresholds.DD-23]\nmme_per_day = nan\n",
        OWN + "DD-23.mme_per_day: write a number above 0",
    ),
    "half a day": (
        SITE + NORTH + "[tenants.north.thresholds.SAF-06]\ntest_days = 1.5\n",
        OWN + "SAF-06.test_days: write a whole number",
    ),
    "tokens in open mode": ('[open]\nissuers = ["a"]\n', "open.issuers: is for clients with tokens"),
    "an issuer of two": (
        SITE + NORTH + NORTH.replace("north", "south"), "tenants.south.issuers: north has the same issuer",
    ),
    "an issuer of two, one of them by claim": (
        SITE + NORTH + NORTH.replace("north", "south") + 'token_tenant = "s"\n',
        "tenants.south.issuers: north has the same issuer",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_each_error_names_file_key_and_remedy(write: Write, text: str, words: str) -> None:
    path = write(text)
    with pytest.raises(SettingsError) as refused:
        loaded(path)
    [told] = refused.value.problems
    assert told.startswith(f"{path}: {words}")


def test_every_error_is_told_at_once(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        'prot = 1\nport = "x"\nmax_body_bytes = 0\n[tenants.north]\ndialect = "x"\nissuers = []\nexplain = 1\n'
    )
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert all(line.startswith(f"firstline: {path}: ") for line in lines)
    keys = [line.removeprefix(f"firstline: {path}: ").split(": ")[0] for line in lines]
    assert keys == [
        "prot", "port", "tenants.north.issuers", "tenants.north.jwks", "tenants.north.dialect",
        "tenants.north.explain", "max_body_bytes", "public_url",
    ]  # fmt: skip


def test_a_good_file_is_told_in_short(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "codes.csv").write_text("local_code,display,ingredient,strength\n", encoding="utf-8")
    assert main(["check", str(write(WHOLE))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no errors." in said
    assert f"Client north: tokens of {ISSUER}, https://old.example.org; dialect epic; 1 FHIR server" in said
    assert "2 numbers of its own (1 looser)" in said
    assert "Client south-2: tokens of https://south.example.org; dialect by the hook; no FHIR server" in said
    assert main(["check", str(write("port = 9000\n"))]) == 0
    assert "Open mode" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("port = ", "correct the TOML")])
def test_a_file_that_is_none_is_refused(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
) -> None:
    path = tmp_path / "gone.toml" if text is None else write(text)
    assert main(["check", str(path)]) == 2
    assert words in capsys.readouterr().err


# Several clients


def test_each_client_is_known_by_its_issuer_and_claim(tmp_path: Path) -> None:
    place = stored_jwks(tmp_path, EC)
    shared = "https://vendor.example.org"
    tenants = (
        Tenant(name="one", issuers=(ISSUER,), jwks=place),
        Tenant(name="two", issuers=(shared,), jwks=place, token_tenant="2"),
        Tenant(name="three", issuers=(shared,), jwks=place, token_tenant="3"),
    )
    trust = Trust(Settings(public_url=PUBLIC, tenants=tenants), clock=lambda: NOW)

    def name_of(**claims: Any) -> str:
        headers = [(b"authorization", b"Bearer " + signed(jti=json.dumps(claims), **claims).encode())]
        scope = {"type": "http", "path": "/cds-services", "headers": headers, "client": None}
        return asyncio.run(trust.authenticate(scope)).name

    assert [name_of(iss=ISSUER), name_of(iss=shared, tenant="2"), name_of(iss=shared, tenant="3")] == [
        "one", "two", "three",
    ]  # fmt: skip
    for claims in ({"iss": shared}, {"iss": shared, "tenant": "4"}):
        with pytest.raises(NotAuthenticatedError):
            name_of(**claims)


def test_a_client_never_uses_the_keys_of_another(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    tenants = (
        Tenant(name="one", issuers=(ISSUER,), jwks=stored_jwks(tmp_path / "one", RSA)),
        Tenant(name="two", issuers=("https://two.example.org",), jwks=stored_jwks(tmp_path, EC)),
    )
    trust = Trust(Settings(public_url=PUBLIC, tenants=tenants), clock=lambda: NOW)
    headers = [(b"authorization", b"Bearer " + signed().encode())]
    with pytest.raises(NotAuthenticatedError):
        asyncio.run(trust.authenticate({"type": "http", "path": "/cds-services", "headers": headers}))


def stored(story: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((FOLDER / f"{story}.request.json").read_bytes())
    return request


def test_a_client_is_answered_in_its_own_way_from_first_to_last(tmp_path: Path) -> None:
    north = Tenant(name="north", issuers=(ISSUER,), jwks=stored_jwks(tmp_path, EC), dialect="epic", explain=False)
    settings = Settings(today=TODAY, public_url=PUBLIC, tenants=(north,))
    app = create_app(settings, trust=Trust(settings, clock=lambda: NOW))
    request = {**stored("clonazepam-active"), "extension": {"firstline.explain": True}}

    def asked(method: str, path: str, **sent: Any) -> Any:
        token = signed(aud=PUBLIC + path, jti=method + path)
        return call(app, method, path, client="203.0.113.9", headers={"Authorization": f"Bearer {token}"}, **sent)

    answer = asked("POST", SIGN, json=request)
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["selectionBehavior"] == "any"
    assert "outcomes" not in answer.json()["extension"]["firstline.review"]
    assert asked("GET", "/cds-services").status_code == 200
    assert asked("GET", "/cds-services").status_code == 401  # the same token again
    assert call(app, "POST", SIGN, json=request).status_code == 401
    assert DISCOVERY == PUBLIC + "/cds-services"


def test_open_mode_answers_this_machine_alone_and_in_its_dialect() -> None:
    app = an_app(open=Tenant(dialect="epic"))
    answer = call(app, "POST", SIGN, json=stored("clonazepam-active"))
    assert answer.json()["cards"][0]["selectionBehavior"] == "any"
    for client, status in (("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 401), ("::ffff:192.0.2.1", 401)):
        assert call(app, "GET", "/cds-services", client=client).status_code == status


def test_an_order_whose_shape_shows_no_version_is_of_the_client_s() -> None:
    """What is created goes back in the version of the draft."""
    request = stored("clonazepam-active")
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    draft["dosageInstruction"] = [{"text": "1 tablet every 6 hours as needed"}]
    assert "agent" not in json.dumps(created(request, None))
    assert "agent" in json.dumps(created(request, "STU3"))


def created(request: dict[str, Any], version: str | None) -> list[Any]:
    answer = call(an_app(open=Tenant(fhir_version=version)), "POST", SIGN, json=request).json()
    suggestions = [one for card in answer["cards"] for one in card.get("suggestions", ())]
    return [a["resource"] for one in suggestions for a in one["actions"] if a["type"] == "create"]


# Numbers of the site


def test_which_way_is_stricter() -> None:
    for name in STRICTER:
        standard = standard_number(name)
        assert not is_looser(name, standard, standard)
        assert is_looser(name, standard + 1, standard)
        assert not is_looser(name, standard - 1, standard)


def test_the_rules_ask_for_each_number_that_a_site_may_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()

    def number_of(case: Case, rule: Knowledge, name: str) -> Decimal:
        asked.add(f"{rule.id}.{name}")
        return rule.number(name)

    monkeypatch.setattr(Case, "number_of", number_of)
    app = an_app()
    for path in FOLDER.glob("*.request.json"):
        request = json.loads(path.read_bytes())
        call(app, "POST", f"/cds-services/{service_of(request)}", json=request)
    assert asked == STRICTER.keys()


def rules_of(story: str, **numbers: Decimal) -> list[str]:
    thresholds = {name.replace("_", "-", 1).replace("_", ".", 1): Threshold(value) for name, value in numbers.items()}
    assert thresholds.keys() <= STRICTER.keys()
    answer = call(an_app(open=Tenant(thresholds=thresholds)), "POST", SIGN, json=stored(story)).json()
    return [finding["rule"] for finding in answer["extension"]["firstline.review"]["findings"]]


def test_a_stricter_number_fires_earlier_and_the_card_says_whose_it_is() -> None:
    assert "DD-23" not in rules_of("mme-49-9")
    assert "DD-23" in rules_of("mme-49-9", DD_23_mme_per_day=Decimal(40))
    tenant = Tenant(thresholds={"DD-23.mme_per_day": Threshold(Decimal(40))})
    answer = call(an_app(open=tenant), "POST", SIGN, json=stored("mme-49-9")).json()
    [card] = [card for card in answer["cards"] if "40 MME a day" in card["detail"]]
    assert "Numbers of this site in place of the standard ones: 40 MME a day." in card["detail"]


def test_a_looser_number_fires_later() -> None:
    assert "DD-23" in rules_of("mme-50")
    assert "DD-23" not in rules_of("mme-50", DD_23_mme_per_day=Decimal(60))

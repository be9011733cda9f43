"""Client tokens: who is let in, that nobody else is, and that no refusal says why."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey

from hooks import key_sets, security, tokens
from hooks.app import create_app
from hooks.key_sets import KeySet, KeySetError, read_key_set
from hooks.replays import ReplaysInMemory, jti_hash
from hooks.security import Client, NotAuthenticatedError, Trust
from hooks.settings import Settings
from tests.calling import call
from tests.clients import (
    DISCOVERY,
    EC,
    ISSUER,
    JKU,
    NEXT_EC,
    NOW,
    OTHER_EC,
    PUBLIC,
    RSA,
    claims,
    jwks,
    signed,
    stored_jwks,
    trusting,
)


class Ticking:
    """A clock that a test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def scope(token: str | bytes | None, path: str = "/cds-services", client: str = "203.0.113.9") -> dict[str, Any]:
    sent = token.encode() if isinstance(token, str) else token
    headers = [] if sent is None else [(b"authorization", b"Bearer " + sent)]
    return {"type": "http", "path": path, "headers": headers, "client": (client, 5000)}


def at_rest(settings: Settings) -> Trust:
    return Trust(settings, clock=Ticking())


def admitted(trust: Trust, token: str | bytes | None, path: str = "/cds-services") -> bool:
    try:
        client = asyncio.run(trust.authenticate(scope(token, path)))
    except NotAuthenticatedError:
        return False
    assert client.name == "north"
    return True


@pytest.fixture
def trusted(tmp_path: Path) -> Settings:
    return trusting(stored_jwks(tmp_path, EC, RSA), jku=(JKU,))


# Who is let in


@pytest.mark.parametrize(
    "token",
    [
        signed(header={"x5c": ["A" * 4000], "vendor": "1"}),
        signed(),
        signed(RSA, "RS384"),
        signed(header={"jku": JKU}),
        signed(header={"typ": "jwt"}),
        signed(aud=[DISCOVERY, "https://other.example.org"]),
        signed(exp=int(NOW) - 10, iat=int(NOW) - 200),
        signed(iat=int(NOW) + 20),
        signed(iat=NOW - 0.5, exp=NOW + 3599),
        signed(nbf=int(NOW)),
        signed(sub="someone", tenant="any"),
        signed(header={"jwk": OTHER_EC.as_dict(private=False), "x5u": "https://evil.example.org"}),
    ],
    ids=[
        "a long head", "ES384", "RS384", "listed jku", "typ in small letters", "several audiences",
        "ended within the skew", "issued within the skew", "fractions of a second",
        "not before now", "more claims", "keys of its own unused",
    ],
)  # fmt: skip
def test_a_good_token_is_believed(trusted: Settings, token: str) -> None:
    assert admitted(at_rest(trusted), token)


def test_a_token_is_for_one_endpoint(trusted: Settings) -> None:
    path = "/cds-services/firstline-order-sign"
    for called in (path, path + "/feedback"):
        assert admitted(at_rest(trusted), signed(aud=PUBLIC + called), called)
        assert not admitted(at_rest(trusted), signed(), called)


def test_a_proxy_may_leave_its_prefix(trusted: Settings) -> None:
    behind = {**scope(signed(), "/firstline/cds-services"), "root_path": "/firstline"}
    assert asyncio.run(at_rest(trusted).authenticate(behind)).name == "north"


# Who is not


def unsigned(alg: str, key: bytes | None = None) -> str:
    head = json.dumps({"alg": alg, "typ": "JWT", "kid": "ec-1"}).encode()
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (head, json.dumps(claims()).encode())]
    body = b".".join(parts)
    mac = b"" if key is None else hmac.new(key, body, hashlib.sha384).digest()
    return (body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def altered(**changed: Any) -> str:
    """A good token whose claims were changed after it was signed."""
    head, _, mac = signed().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(**changed)).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{mac}"


REFUSED: dict[str, str | bytes | None] = {
    "no header": None,
    "empty": "",
    "not a token": "hello",
    "two parts": "a.b",
    "four parts": signed() + ".x",
    "not base64": "!!!.???.***",
    "head that is a list": base64.urlsafe_b64encode(b"[]").decode() + "." + signed().split(".", 1)[1],
    "too long": "a" * 20_000 + ".b.c",
    "bytes beyond ASCII": b"\xff\xfe.\xff.\xff",
    "none": unsigned("none"),
    "None": unsigned("None"),
    "HS384 by the public key": unsigned("HS384", EC.as_pem(private=False)),
    "HS256 by a known secret": signed(OctKey.import_key("s" * 32), "HS256", {"kid": "ec-1"}),
    "ES256, not allowed": signed(ECKey.generate_key("P-256", {"kid": "ec-1"}), "ES256"),
    "RS256, not allowed": signed(RSA, "RS256"),
    "RS384 by an EC kid": signed(RSA, "RS384", {"kid": "ec-1"}),
    "another's key of the same kid": signed(OTHER_EC),
    "unknown kid": signed(header={"kid": "ec-9"}),
    "no kid": signed(header={"kid": None}),
    "no typ": signed(header={"typ": None}),
    "another typ": signed(header={"typ": "at+jwt"}),
    "unlisted jku": signed(header={"jku": "https://evil.example.org/jwks.json"}),
    "jku that only begins like a listed one": signed(header={"jku": JKU + "?x"}),
    "no signature": signed().rpartition(".")[0] + ".",
    "a changed signature": signed()[:-8] + "AAAAAAAA",
    "changed claims": altered(jti="two"),
    "unlisted iss": signed(iss="https://evil.example.org"),
    "iss with a slash more": signed(iss=ISSUER + "/"),
    "no iss": signed(iss=None),
    "iss in a list": signed(iss=[ISSUER]),
    "another aud": signed(aud="https://cds.example.org/firstline"),
    "aud of another endpoint": signed(aud=DISCOVERY + "/firstline-order-sign"),
    "aud with a slash more": signed(aud=DISCOVERY + "/"),
    "no aud": signed(aud=None),
    "empty aud": signed(aud=[]),
    "aud with a number among": signed(aud=[DISCOVERY, 1]),
    "ended": signed(exp=int(NOW) - 60, iat=int(NOW) - 300),
    "no exp": signed(exp=None),
    "exp as a text": signed(exp=str(int(NOW) + 300)),
    "exp true": signed(exp=True),
    "exp beyond all numbers": signed(exp=10**400),
    "no iat": signed(iat=None),
    "issued in the future": signed(iat=int(NOW) + 120, exp=int(NOW) + 300),
    "good for too long": signed(exp=int(NOW) + 86_400),
    "ends before it was issued": signed(iat=int(NOW) + 20, exp=int(NOW) + 10),
    "not yet": signed(nbf=int(NOW) + 120),
    "no jti": signed(jti=None),
    "empty jti": signed(jti=""),
    "endless jti": signed(jti="j" * 2000),
    "tenant that is a number": signed(tenant=5),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_no_other_token_is_believed(trusted: Settings, token: str | bytes | None) -> None:
    assert not admitted(at_rest(trusted), token)


def test_two_headers_or_another_scheme_are_refused(trusted: Settings) -> None:
    good = signed().encode()
    for headers in ([(b"authorization", b"Bearer " + good)] * 2, [(b"authorization", b"Basic " + good)]):
        with pytest.raises(NotAuthenticatedError):
            asyncio.run(at_rest(trusted).authenticate({**scope(None), "headers": headers}))


def test_a_caller_on_the_machine_needs_a_token_too(trusted: Settings) -> None:
    with pytest.raises(NotAuthenticatedError):
        asyncio.run(at_rest(trusted).authenticate(scope(None, client="127.0.0.1")))


def test_every_refusal_is_the_same_to_the_last_byte(trusted: Settings) -> None:
    app = create_app(trusted, trust=at_rest(trusted))
    told = set()
    for method, path in (("GET", "/cds-services"), ("POST", "/cds-services/firstline-order-select")):
        for token in REFUSED.values():
            sent = scope(token)["headers"]
            answer = call(app, method, path, headers=sent)
            told.add((answer.status_code, answer.content, tuple(sorted(answer.headers.items()))))
    assert [status for status, _, _ in told] == [401]
    assert {body for _, body, _ in told} == {b""}


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"{text}.e30.x".encode()))
def test_reading_refuses_and_never_breaks(sent: bytes) -> None:
    with pytest.raises(tokens.TokenError):
        tokens.read_token(b"Bearer " + sent)


# Used once


def test_a_token_is_good_for_one_call(trusted: Settings) -> None:
    trust = at_rest(trusted)
    assert admitted(trust, signed())
    assert not admitted(trust, signed())
    assert not admitted(trust, signed(RSA, "RS384"))  # another signature, the same jti
    assert admitted(trust, signed(jti="two"))


def test_a_refused_token_uses_nothing_up(trusted: Settings) -> None:
    trust = at_rest(trusted)
    assert not admitted(trust, signed(OTHER_EC))
    assert admitted(trust, signed())


def test_a_token_is_remembered_until_it_ends() -> None:
    memory = ReplaysInMemory(most=2)
    assert memory.first_use_at("a", 110, 100)
    assert not memory.first_use_at("a", 110, 109)
    assert memory.first_use_at("b", 120, 109)
    assert not memory.first_use_at("c", 120, 109)  # no more can be remembered
    assert memory.first_use_at("c", 120, 110)
    assert len(memory.known) == len(memory.ending) == 2


def test_the_same_jti_of_two_issuers_are_two() -> None:
    assert jti_hash("https://a", "b") != jti_hash("https://", "ab")
    assert jti_hash("https://a", "b") == jti_hash("https://a", "b")


class Shared:
    """Stands in for a database that several processes share."""

    def __init__(self, down: bool = False) -> None:
        self.down = down
        self.known: dict[str, datetime] = {}

    async def first_use(self, jti_hash: str, expires: datetime) -> bool:
        if self.down:
            raise OSError("no database")
        first = jti_hash not in self.known
        self.known[jti_hash] = expires
        return first


def test_two_processes_share_what_was_used(trusted: Settings) -> None:
    shared = Shared()
    one, other = (Trust(trusted, shared, Ticking()) for _ in range(2))
    assert admitted(one, signed())
    assert not admitted(other, signed())
    assert list(shared.known.values()) == [datetime.fromtimestamp(NOW + 330, UTC)]
    assert ISSUER not in next(iter(shared.known))


def test_without_the_database_each_process_has_its_own_memory(
    trusted: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(trusted, Shared(down=True), Ticking())
    assert admitted(trust, signed())
    assert not admitted(trust, signed())
    assert admitted(trust, signed(jti="two"))
    assert caplog.messages == ["used tokens are not shared between processes any more: OSError"]
    trust.replays = Shared()
    assert admitted(trust, signed(jti="three"))
    assert admitted(trust, signed(jti="four"))
    assert caplog.messages[1:] == ["used tokens are shared between processes again"]


def test_a_slow_database_does_not_keep_an_answer(trusted: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        async def first_use(self, jti_hash: str, expires: datetime) -> bool:
            await asyncio.sleep(30)
            raise AssertionError("it was waited for")

    monkeypatch.setattr(security, "SHARED_SECONDS", 0.01)
    assert admitted(Trust(trusted, Slow(), Ticking()), signed())


# Keys


@respx.mock
def test_keys_are_fetched_once_and_kept() -> None:
    fetched = respx.get(JKU).respond(json=jwks(EC))
    trust = at_rest(trusting(jku=(JKU,)))
    for jti in ("a", "b", "c"):
        assert admitted(trust, signed(header={"jku": JKU}, jti=jti))
    assert fetched.call_count == 1
    assert "authorization" not in fetched.calls[0].request.headers


@respx.mock
def test_an_unlisted_address_is_never_fetched() -> None:
    """respx refuses every call that is not mocked; there is none here."""
    trust = at_rest(trusting(jku=(JKU,)))
    for address in (
        "https://evil.example.org/jwks.json",
        JKU + "/",
        JKU.replace("ehr", "EHR"),
        JKU + "#x",
        "http://169.254.169.254",
    ):
        assert not admitted(trust, signed(header={"jku": address}))
    assert not admitted(trust, signed())  # names no address, and none is set for it
    assert respx.calls.call_count == 0


@respx.mock
def test_nothing_is_fetched_for_a_token_with_wrong_claims() -> None:
    trust = at_rest(trusting(jku=(JKU,)))
    for changed in ({"iss": "https://evil.example.org"}, {"aud": PUBLIC}, {"exp": int(NOW) - 99}):
        assert not admitted(trust, signed(header={"jku": JKU}, **changed))
    assert not admitted(trust, signed(RSA, "RS256", {"jku": JKU}))
    assert respx.calls.call_count == 0


@respx.mock
def test_where_keys_are_set_no_address_of_a_token_is_fetched(trusted: Settings) -> None:
    assert admitted(at_rest(trusted), signed(header={"jku": JKU}))
    assert respx.calls.call_count == 0


@respx.mock
def test_a_new_key_is_found_and_the_old_one_is_gone() -> None:
    fetched = respx.get(JKU).mock(side_effect=[httpx.Response(200, json=jwks(one)) for one in (EC, NEXT_EC)])
    ticks = Ticking(0)
    trust = Trust(trusting(JKU), clock=Ticking(), ticks=ticks)
    assert admitted(trust, signed(jti="a"))
    ticks.now = 60
    assert admitted(trust, signed(NEXT_EC, jti="b"))
    assert not admitted(trust, signed(EC, jti="c"))
    assert fetched.call_count == 2


@respx.mock
def test_unknown_keys_do_not_make_it_fetch_again_and_again() -> None:
    fetched = respx.get(JKU).respond(json=jwks(EC))
    ticks = Ticking(0)
    trust = Trust(trusting(JKU), clock=Ticking(), ticks=ticks)
    for second in range(60):
        ticks.now = second
        assert not admitted(trust, signed(NEXT_EC, jti=str(second)))
    assert fetched.call_count == 2
    assert admitted(trust, signed())


@respx.mock
def test_callers_at_once_share_one_fetch() -> None:
    fetched = respx.get(JKU).respond(json=jwks(EC))
    trust = at_rest(trusting(JKU))

    async def several() -> list[Client]:
        sent = [signed(jti=str(count)) for count in range(5)]
        return await asyncio.gather(*(trust.authenticate(scope(token)) for token in sent))

    assert len(asyncio.run(several())) == 5
    assert fetched.call_count == 1


@respx.mock
def test_keys_are_looked_up_anew_in_the_background_and_outlive_an_outage_for_a_day() -> None:
    answers = [httpx.Response(200, json=jwks(EC)), *[httpx.Response(500)] * 5]
    fetched = respx.get(JKU).mock(side_effect=answers)
    ticks = Ticking(0)
    keys = KeySet(JKU, ticks)

    async def named() -> int:
        found = await keys.named("ec-1")
        if keys.looking is not None:
            await keys.looking
        return len(found)

    for now, known, calls in ((0, 1, 1), (599, 1, 1), (700, 1, 2), (710, 1, 2), (86_400, 1, 3), (86_500, 0, 4)):
        ticks.now = now
        assert (asyncio.run(named()), fetched.call_count) == (known, calls), now


BAD_ANSWERS: dict[str, Any] = {
    "an error": httpx.Response(503),
    "a redirect": httpx.Response(302, headers={"Location": "https://evil.example.org/jwks.json"}),
    "a page": httpx.Response(200, text="<html>"),
    "too large": httpx.Response(200, content=b" " * (key_sets.MOST_BYTES + 1)),
    "silence": httpx.ReadTimeout,
    "nobody": httpx.ConnectError,
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
@respx.mock
def test_keys_that_cannot_be_had_let_nobody_in(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    respx.get(JKU).mock(**{"return_value" if isinstance(answer, httpx.Response) else "side_effect": answer})
    assert not admitted(at_rest(trusting(JKU)), signed())
    assert respx.calls.call_count == 1
    assert "a client's keys could not be read" in caplog.text
    assert "example.org" not in caplog.text


@respx.mock
def test_a_slow_address_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError("it was waited for")

    monkeypatch.setattr(key_sets, "FETCH_SECONDS", 0.01)
    respx.get(JKU).mock(side_effect=slow)
    assert not admitted(at_rest(trusting(JKU)), signed())


def test_a_file_is_read_anew_when_its_keys_change(tmp_path: Path) -> None:
    ticks = Ticking(0)
    trust = Trust(trusting(stored_jwks(tmp_path, EC)), clock=Ticking(), ticks=ticks)
    assert admitted(trust, signed(jti="a"))
    stored_jwks(tmp_path, NEXT_EC)
    ticks.now = 40
    assert admitted(trust, signed(NEXT_EC, jti="b"))
    assert not admitted(trust, signed(EC, jti="c"))
    (tmp_path / "jwks.json").unlink()
    ticks.now = 80
    assert not admitted(trust, signed(EC, jti="d"))
    assert admitted(trust, signed(NEXT_EC, jti="e"))


SHORT = str(RSA.as_dict(private=False)["n"])[:171]
USELESS = {
    "no kid": {**EC.as_dict(private=False), "kid": None},
    "for secrets": {**EC.as_dict(private=False), "use": "enc"},
    "for signing only": {**EC.as_dict(private=False), "key_ops": ["sign"]},
    "another kind": {"kty": "OKP", "crv": "Ed25519", "kid": "ec-1", "x": "AAAA"},
    "a broken key": {"kty": "EC", "crv": "P-384", "kid": "ec-1", "x": "AAAA", "y": "AAAA"},
    "an odd key": {"kty": "RSA", "kid": "rsa-1", "n": 5, "e": []},
    "a short key": {**RSA.as_dict(private=False), "n": SHORT},
    "a key that hides its shortness": {**RSA.as_dict(private=False), "n": "A" * 171 + SHORT},
    "a text": "ec-1",
}


@pytest.mark.parametrize("entry", USELESS.values(), ids=USELESS.keys())
def test_useless_keys_are_passed_over(entry: Any) -> None:
    with pytest.raises(KeySetError, match="has no usable key"):
        read_key_set(json.dumps({"keys": [entry]}).encode())
    assert list(read_key_set(json.dumps({"keys": [entry, *jwks(RSA)["keys"]]}).encode())) == ["rsa-1"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no key set"),
        (b"[]", "is no key set"),
        (b'{"keys": {}}', "is no key set"),
        (b'{"keys": []}', "has no usable key"),
        (json.dumps({"keys": [EC.as_dict(private=True)]}).encode(), "holds a private or shared key"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}', "holds a private or shared key"),
    ],
)
def test_a_key_set_of_no_use_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(KeySetError, match=words):
        read_key_set(content)


def test_two_keys_of_one_name_are_both_tried(tmp_path: Path) -> None:
    trust = at_rest(trusting(stored_jwks(tmp_path, OTHER_EC, EC)))
    assert admitted(trust, signed())
    assert admitted(trust, signed(OTHER_EC, jti="two"))


def test_a_token_is_never_shown() -> None:
    assert repr(tokens.read_token(b"Bearer " + signed().encode())) == "Token(...)"

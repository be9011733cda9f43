"""No request, no server and no record makes Firstline talk to an address that the site did not allow.

The trap listens, and must never be connected to.
"""

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.fhir_access_address import allowed, base_url, following
from hooks.fhir_access_queries import medication, query_of
from hooks.tenants import read_open
from tests.fetching import CHART, NEUROPATHY, OXYCODONE, lacking, records_of, told
from tests.fhir_examples import bundle
from tests.fhir_server import FhirServer, fhir_server
from tests.sentences import request_of

HELD = records_of(request_of(CHART))


class Trap:
    """A port that somebody might be lured to."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def sprung(self) -> bool:
        """Whether anybody connected."""
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def trap() -> Iterator[Trap]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        trap = Trap(listening)
        yield trap
        assert not trap.sprung()


@pytest.fixture(scope="module")
def server() -> Iterator[FhirServer]:
    with fhir_server() as running:
        yield running


def test_the_trap_tells(trap: Trap) -> None:
    with socket.create_connection(("127.0.0.1", trap.port)):
        assert trap.sprung()


# Base addresses


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://ehr.example.org/r4", "https://ehr.example.org/r4"),
        ("HTTPS://EHR.Example.Org:443/R4/", "https://ehr.example.org/R4"),
        ("https://ehr.example.org", "https://ehr.example.org"),
        ("https://ehr.example.org/", "https://ehr.example.org"),
        ("https://ehr.example.org:8443/a/b-c_d~e.f", "https://ehr.example.org:8443/a/b-c_d~e.f"),
        ("https://10.0.0.8/fhir", "https://10.0.0.8/fhir"),
        ("https://[2001:db8::8]:8443/fhir", "https://[2001:db8::8]:8443/fhir"),
        ("http://localhost:8080/fhir/", "http://localhost:8080/fhir"),
        ("http://127.0.0.1:80/fhir", "http://127.0.0.1/fhir"),
        ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir"),
    ],
)
def test_a_base_address_has_one_spelling(url: str, base: str) -> None:
    assert base_url(url) == base
    assert base_url(base) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example.org",
        "//ehr.example.org/r4",
        "ftp://ehr.example.org/r4",
        "file:///etc/passwd",
        "http://ehr.example.org/r4",  # http beyond the machine
        "http://10.0.0.8/r4",
        "http://169.254.169.254/latest",
        "http://localhost.example.org/r4",
        "http://127.0.0.1.nip.io/r4",
        "http://localhost./r4",
        "https://user@ehr.example.org/r4",
        "https://user:word@ehr.example.org/r4",
        "https://@ehr.example.org/r4",
        "https://ehr.example.org@evil.example/r4",
        "https://ehr.example.org\\@evil.example/r4",
        "https://ehr.example.org#@evil.example/r4",
        "https://ehr.example.org/r4#x",
        "https://ehr.example.org/r4?x=1",
        "https://ehr.example.org:/r4",
        "https://ehr.example.org:0/r4",
        "https://ehr.example.org:0443/r4",
        "https://ehr.example.org:99999/r4",
        "https://ehr.example.org:443:80/r4",
        "https://ehr.example.org:8o80/r4",
        "https://ehr.example.org:-1/r4",
        "https://ehr.example.org./r4",
        "https://ehr..example.org/r4",
        "https://.example.org/r4",
        "https://ehr.example.org/r4/../admin",
        "https://ehr.example.org/./r4",
        "https://ehr.example.org//r4",
        "https://ehr.example.org/%2e%2e/admin",
        "https://ehr.example.org/r4%2fadmin",
        "https://ehr.example.org/r4;x=1",
        "https://ehr.example.org/r 4",
        " https://ehr.example.org/r4",
        "https://ehr.example.org/r4\r\nHost: evil.example",
        "https://ehr.example.org/r4\x00",
        "https://ehr%2eexample.org/r4",
        "https://ëhr.example.org/r4",
        "https://ehr。example.org/r4",
        "https://①②⑦.0.0.1/r4",
        "https://2130706433/r4",  # 127.0.0.1 in other spellings
        "https://0x7f000001/r4",
        "https://0x7f.1/r4",
        "https://0177.0.0.1/r4",
        "https://127.1/r4",
        "http://0.0.0.0/r4",
        "http://[::ffff:127.0.0.1]/r4",  # IPv4 within IPv6
        "http://[::ffff:7f00:1]/r4",
        "http://[0:0:0:0:0:ffff:127.0.0.1]/r4",
        "http://[::127.0.0.1]/r4",
        "http://[0:0:0:0:0:0:0:1]/r4",
        "https://[2002:7f00:1::]/r4",
        "https://[2001:0:7f00:1::]/r4",
        "https://[::ffff:10.0.0.8]/r4",
        "https://[fe80::1%25eth0]/r4",
        "https://[fe80::1%eth0]/r4",
        "https://[::1/r4",
        "https://[]/r4",
        "https://[ehr.example.org]/r4",
        "https://" + "a" * 9000,
    ],
)
def test_an_address_that_could_be_read_two_ways_is_none(url: str) -> None:
    assert base_url(url) is None
    assert allowed(url, (url, "https://ehr.example.org/r4")) is None


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("https://ehr.example.org/r4", True),
        ("https://EHR.example.org:443/r4/", True),
        ("https://ehr.example.org/R4", False),
        ("https://ehr.example.org/r4/extra", False),
        ("https://ehr.example.org", False),
        ("https://ehr.example.org:8443/r4", False),
        ("https://ehr.example.org.evil.example/r4", False),
        ("https://evil-ehr.example.org/r4", False),
        ("http://localhost/r4", False),
    ],
)
def test_only_the_address_on_the_list_is_allowed(server: str, found: bool) -> None:
    assert (allowed(server, ("https://other.example.org", "https://ehr.example.org/r4")) is not None) is found


def test_a_list_holds_only_such_addresses() -> None:
    found, problems = read_open({"fhir_servers": ["https://EHR.example.org:443/r4/"]}, folder=None)  # type: ignore[arg-type]
    assert (found.fhir_servers, problems) == (("https://ehr.example.org/r4",), [])
    for wrong in ("http://ehr.example.org/r4", "https://a@ehr.example.org", "http://[::ffff:127.0.0.1]/r4"):
        _, problems = read_open({"fhir_servers": [wrong]}, folder=None)  # type: ignore[arg-type]
        assert problems == [
            "open.fhir_servers: write https base addresses (http on loopback alone), without a user, ? and #"
        ]


# Pages


BASE = "https://ehr.example.org/r4"
ASKED = f"{BASE}/Condition?patient=p1"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f"{BASE}/Condition?patient=p1&page=2", f"{BASE}/Condition?patient=p1&page=2"),
        (f"{BASE}?_getpages=a-b&_bundletype=searchset", f"{BASE}?_getpages=a-b&_bundletype=searchset"),
        ("HTTPS://EHR.example.org:443/r4/Condition?page=2", f"{BASE}/Condition?page=2"),
        ("?page=2", f"{BASE}/Condition?page=2"),
        ("Condition?page=2", f"{BASE}/Condition?page=2"),
        ("/r4/Condition?page=2&u=https://evil.example", f"{BASE}/Condition?page=2&u=https://evil.example"),
        ("", None),
        ("//evil.example/r4/Condition?page=2", None),
        ("https://evil.example/r4/Condition?page=2", None),
        ("http://ehr.example.org/r4/Condition?page=2", None),
        ("https://ehr.example.org:8443/r4/Condition", None),
        ("https://ehr.example.org@evil.example/r4/Condition", None),
        ("https://evil@ehr.example.org/r4/Condition", None),
        ("https://ehr.example.org.evil.example/r4/Condition", None),
        ("https://ehr.example.org/r4evil/Condition", None),
        ("https://ehr.example.org/other/Condition", None),
        ("https://ehr.example.org/r4/../admin", None),
        ("https://ehr.example.org/r4/%2e%2e/admin", None),
        ("https://ehr.example.org/r4/..%2fadmin", None),
        ("https://ehr.example.org/r4//evil.example", None),
        ("../../admin", None),
        ("\\\\evil.example\\r4", None),
        ("/r4/\\..\\admin", None),
        ("https://ehr.example.org/r4/Condition#x", None),
        ("https://[::ffff:127.0.0.1]/r4/Condition", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://ehr.example.org/r4/Con dition", None),
        ("https://ehr.example.org/r4/Condition\r\nX: y", None),
        ("https://ëhr.example.org/r4/Condition", None),
        ("https://[/r4/Condition", None),
        ("https://ehr.example.org:x/r4/Condition", None),
        (f"{BASE}/Condition?" + "a" * 9000, None),
    ],
)
def test_a_page_is_followed_within_the_base_only(link: str, address: str | None) -> None:
    assert following(link, ASKED, BASE) == address


PIECES = st.sampled_from(
    ["https:", "http:", "/", "//", "\\", "@", ":", "#", "?", "..", ".", "%2e", "%2f", "%5c", "r4", "ehr.example.org",
     "evil.example", "[::ffff:127.0.0.1]", "127.0.0.1", "Condition", "443", " ", "\t", "é", ";", "&"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=30))
def test_no_link_leads_off_the_base(link: str) -> None:
    address = following(link, ASKED, BASE)
    if address is not None:
        url = httpx.URL(address)
        assert (url.scheme, url.host, url.port, url.userinfo) == ("https", "ehr.example.org", None, b"")
        assert url.path == "/r4" or url.path.startswith("/r4/")
        assert ".." not in url.path.split("/")


# Ids


@pytest.mark.parametrize("own_id", ["..", ".", "../admin", "a/b", "a?b", "a#b", "a%2fb", "a b", "", "é", "a" * 200])
def test_an_id_that_could_be_a_path_is_not_asked_for(own_id: str) -> None:
    for key in ("patient", "conditions", "egfr"):
        assert query_of(key, own_id, None, "R4") is None
    assert query_of("encounter", "p1", own_id, "R4") is None


def test_an_id_stands_in_the_path_as_it_is() -> None:
    found = query_of("patient", "a-B.3_x", None, "R4")
    assert found is not None and found.path == "Patient/a-B.3_x"
    assert medication("m.1").path == "Medication/m.1"


# The whole way


def tricks(trap: Trap, server: FhirServer) -> list[str]:
    own = server.base("fine").removeprefix("http://")
    port = trap.port
    return [
        f"{trap.url}/fine/fhir",
        f"http://localhost:{port}/fine/fhir",
        f"http://LOCALHOST:{port}/fine/fhir",
        f"http://localhost.:{port}/fine/fhir",
        f"http://127.0.0.1.:{port}/fine/fhir",
        f"http://127.1:{port}/fine/fhir",
        f"http://2130706433:{port}/fine/fhir",
        f"http://0x7f000001:{port}/fine/fhir",
        f"http://0.0.0.0:{port}/fine/fhir",
        f"http://[::1]:{port}/fine/fhir",
        f"http://[::ffff:127.0.0.1]:{port}/fine/fhir",
        f"http://[::ffff:7f00:1]:{port}/fine/fhir",
        f"http://{own}@127.0.0.1:{port}/fine/fhir",
        f"http://127.0.0.1:{server.port}@127.0.0.1:{port}/fine/fhir",
        f"http://127.0.0.1:{port}#@{own}",
        f"http://127.0.0.1:{port}?@{own}",
        f"http://127.0.0.1:{port}\\@{own}",
        f"//127.0.0.1:{port}/fine/fhir",
        f"127.0.0.1:{port}/fine/fhir",
        f"{server.base('fine')}/../../evil",
        f"{server.base('fine')}?x=",
        "",
        "https://",
    ]


def test_a_server_that_is_not_on_the_list_is_never_contacted(trap: Trap, server: FhirServer) -> None:
    server.hold(*HELD)
    for base in tricks(trap, server):
        found = told(lacking((NEUROPATHY, OXYCODONE), base), [server.base("fine")])
        assert found.status == 412, base
        assert not trap.sprung(), base
    assert server.asked() == []


def test_without_a_list_nothing_is_asked(trap: Trap, server: FhirServer) -> None:
    server.hold(*HELD)
    assert told(lacking(CHART, server.base("fine"))).status == 412
    assert told(lacking(CHART, trap.url)).status == 412
    assert server.asked() == []


@pytest.mark.parametrize("manner", ["redirecting", "moving"])
def test_no_redirect_is_followed(manner: str, trap: Trap, server: FhirServer) -> None:
    server.hold(*HELD, trap=trap.url)
    base = server.base(manner)
    found = told(lacking(CHART, base), [base, server.base("fine"), f"{trap.url}/fine/fhir"])
    assert found.status == 412
    assert {one["path"].split("/")[1] for one in server.asked()} == {manner}


def test_no_page_is_followed_off_the_server(trap: Trap, server: FhirServer) -> None:
    server.hold(*HELD, trap=trap.url)
    base = server.base("astray")
    found = told(lacking(CHART, base), [base, f"{trap.url}/fine/fhir"])
    assert found.why("conditions") == "partial"
    assert len(server.asked()) == 13


@pytest.mark.parametrize("link", ["{trap}/fine/fhir/Condition?page=2", "//127.0.0.1:{port}/x", "/elsewhere/fhir/x"])
def test_no_page_of_a_prefetch_is_followed_off_the_server(link: str, trap: Trap, server: FhirServer) -> None:
    """What the server itself has is asked for instead."""
    server.hold(*HELD)
    url = link.format(trap=trap.url, port=trap.port)
    paged = bundle(link=[{"relation": "next", "url": url}])
    found = told(lacking(CHART, server.base("fine"), prefetch={"conditions": paged}), [server.base("fine")])
    assert found.why("conditions") is None
    assert f"/fine/fhir/Condition?patient=p1&start={2}" not in {one["path"] for one in server.asked()}


@pytest.mark.parametrize(
    "reference",
    [
        "{trap}/fine/fhir/Medication/m1",
        "//127.0.0.1:{port}/Medication/m1",
        "Medication/../../x",
        "Medication/a?b",
        "../m1",
    ],
)
def test_no_medication_is_fetched_from_elsewhere(reference: str, trap: Trap, server: FhirServer) -> None:
    server.hold(*HELD)
    request = lacking((NEUROPATHY, OXYCODONE), server.base("fine"))
    [entry] = request["context"]["draftOrders"]["entry"]
    del entry["resource"]["medicationCodeableConcept"]
    entry["resource"]["medicationReference"] = {"reference": reference.format(trap=trap.url, port=trap.port)}
    found = told(request, [server.base("fine")])
    assert found.review["inScope"] == []
    assert "drug of MedicationRequest/d1: not recognised" in found.review["notAssessed"]
    assert server.asked() == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_no_proxy_of_the_environment_sees_a_token(
    name: str, trap: Trap, server: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.hold(*HELD)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, trap.url)
    assert told(lacking(CHART, server.base("fine")), [server.base("fine")]).status == 200
    monkeypatch.delenv(name)
    assert len(server.asked()) == 13


@pytest.mark.parametrize("patient_id", ["../../admin", "p1?x=", "..", "p1/../p2"])
def test_a_patient_id_is_no_path(patient_id: str, server: FhirServer) -> None:
    server.hold(*HELD)
    request: dict[str, Any] = lacking(CHART, server.base("fine"))
    request["context"]["patientId"] = patient_id
    told(request, [server.base("fine")])
    paths = {one["path"] for one in server.asked()}
    assert all("/fine/fhir/" in path and "admin" not in path and "p2" not in path for path in paths)

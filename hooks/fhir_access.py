"""Fetches what a prefetch lacks from the client's FHIR server, where the site and the token allow it.

Nothing is asked unless an order may have to be reviewed; all of it within one deadline for each hook request.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from msgspec import Struct

from hooks.circuit import Circuit
from hooks.fhir_access_address import allowed
from hooks.fhir_access_queries import DSTU2
from hooks.fhir_access_reading import Conversation, Limits
from hooks.fhir_access_rounds import Rounds
from hooks.fhir_access_scopes import Scopes
from hooks.protocol import HookRequest
from hooks.settings import Settings
from hooks.signing import Signing
from hooks.tenants import Tenant

log = logging.getLogger("firstline.fhir")
CONNECTIONS = 100
KEPT_CONNECTIONS = 20
FORMATS = {DSTU2: "application/json+fhir, application/json;q=0.9"}
FORMAT = "application/fhir+json, application/json;q=0.9"

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below that they write addresses, which name patients


class Grant(Struct, frozen=True):
    """What one request lets us do. ``base`` is the server's address as the site has it."""

    base: str
    token: str | None
    scopes: Scopes

    def __repr__(self) -> str:
        return "Grant(...)"


class FhirAccess:
    """The FHIR servers of all clients: one pool of connections, and a circuit breaker for each server."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.clock = clock
        self.limits = Limits(settings.fhir_max_pages, settings.fhir_max_bytes)
        self.circuits: dict[str, Circuit] = {}
        self._client: httpx.AsyncClient | None = None

    def granted(self, request: HookRequest, tenant: Tenant) -> Grant | None:
        """What may be asked of the server that the request names; None: nothing."""
        authorization = request.fhir_authorization
        if not tenant.fhir_servers or request.fhir_server is None:
            return None
        if authorization is None and not self.settings.fhir_without_token:
            return None
        base = allowed(request.fhir_server, tenant.fhir_servers)
        if base is None:
            log.warning("%s: a fhirServer that is not on the list: not asked", tenant.name)
            return None
        if authorization is None:
            return Grant(base, None, Scopes(""))
        scopes = Scopes(authorization.scope, authorization.patient, request.patient_id)
        return Grant(base, authorization.access_token, scopes)

    async def complete(self, signing: Signing, grant: Grant) -> Signing:
        """The signing with what the server had of what it lacks. Raises nothing; what could not be had stays open."""
        rounds = Rounds(signing, grant.base, grant.scopes)
        if not rounds.lack_anything:
            return signing
        circuit = self._circuit(grant.base)
        if not circuit.admits():
            rounds.give_up()
            return rounds.signing
        headers = {"Accept": FORMATS.get(rounds.version, FORMAT)}
        if grant.token is not None:
            headers["Authorization"] = f"Bearer {grant.token}"
        talk = Conversation(self.client, grant.base, headers, signing.request.patient_id, self.limits)
        try:
            async with asyncio.timeout(self.settings.fhir_deadline_ms / 1000):
                await rounds.run(talk)
        except asyncio.CancelledError:
            circuit.withdrawn()
            raise
        except Exception as error:  # what came is reviewed all the same
            if not isinstance(error, TimeoutError):
                log.error("fetching ended early: %s", type(error).__name__)
            rounds.give_up()
        if talk.heard:
            circuit.succeeded()
        elif talk.asked:
            circuit.failed()
            log.warning("a FHIR server did not answer (circuit: %s)", circuit.state)
        else:
            circuit.withdrawn()
        return rounds.signing

    def _circuit(self, base: str) -> Circuit:
        circuit = self.circuits.get(base)
        if circuit is None:
            circuit = Circuit(self.settings.fhir_circuit_failures, self.settings.fhir_circuit_seconds, self.clock)
            self.circuits[base] = circuit
        return circuit

    def open(self) -> None:
        """Makes the pool where any client may need it: its first use should not cost a request time."""
        if self.settings.open.fhir_servers or any(tenant.fhir_servers for tenant in self.settings.tenants):
            _ = self.client

    @property
    def client(self) -> httpx.AsyncClient:
        """Made once, on first use or at start. It follows no redirect, keeps no cookie and asks no environment."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self.transport,
                verify=_believed(self.settings.fhir_ca_file),
                trust_env=False,
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                timeout=self.settings.fhir_deadline_ms / 1000,
                limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=KEPT_CONNECTIONS),
                headers={"User-Agent": "firstline", "Accept-Encoding": "identity"},
            )
        return self._client

    async def aclose(self) -> None:
        """Closes the pool; the next use makes another."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


@lru_cache(maxsize=4)
def _believed(ca_file: str | None) -> ssl.SSLContext:
    """Whose certificates are believed: the system's authorities, or those of this file."""
    return ssl.create_default_context(cafile=ca_file)

"""Which addresses of a FHIR server may be asked: the base URLs that the site allowed, and nothing off them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

import httpx

from hooks.addresses import is_loopback

PORTS = {"https": "443", "http": "80"}
LONGEST = 8000
"""Characters of an address that is worth looking at."""
REMEMBERED = 256
_ADDRESS = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?(/[^?#]*)?(\?[^#]*)?", re.ASCII | re.IGNORECASE
)
_PATH = re.compile(r"(?:/[\w~.-]+)*/?", re.ASCII)
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_ESCAPES = re.compile(r"%(?:2e|2f|5c|00)|//|\\", re.IGNORECASE)
"""What one server reads as part of a name and another as a way to somewhere else."""


@lru_cache(REMEMBERED)
def base_url(url: str) -> str | None:
    """A FHIR base address in its one spelling, without the last slash; None for one that may not be asked.

    Refused: anything but https (http on loopback alone), user names, queries, fragments, odd ports, names that are
    disguised numbers, IPv4 within IPv6, zones, and paths with dots or escapes that a server may read otherwise.
    """
    found = _ADDRESS.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or found[5] is not None:
        return None
    origin, path = _origin(found), found[4] or ""
    if origin is None or _PATH.fullmatch(path) is None or _DOTS.search(path):
        return None
    return origin + path.rstrip("/")


def allowed(server: str, servers: Iterable[str]) -> str | None:
    """The base address of the site's list that the client names; None where it names no such server."""
    base = base_url(server)
    return base if base is not None and base in map(base_url, servers) else None


def following(link: str, asked: str, base: str) -> str | None:
    """The address of a further page, as it stands in an answer to ``asked``; None where it leads off the base."""
    if not link or len(link) > LONGEST or not link.isascii() or not link.isprintable() or " " in link:
        return None
    if _ESCAPES.search(link.partition("?")[0].partition("://")[2] or link.partition("?")[0]):
        return None
    try:
        joined = str(httpx.URL(asked).join(link))
    except (httpx.InvalidURL, ValueError):
        return None
    found = _ADDRESS.fullmatch(joined)
    origin = None if found is None else _origin(found)
    if found is None or origin is None:
        return None
    path = found[4] or ""
    if _DOTS.search(path) or not f"{origin}{path}/".startswith(f"{base}/"):
        return None
    return f"{origin}{path}{found[5] or ''}"


def _origin(found: re.Match[str]) -> str | None:
    """Scheme, host and port in their one spelling; None where they may not be asked."""
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if not _is_host(host.strip("[]")) or (scheme == "http" and not is_loopback(host.strip("[]"))):
        return None
    if port is not None and int(port) > 65535:
        return None
    return f"{scheme}://{host}" + ("" if port in (None, PORTS[scheme]) else f":{port}")


def _is_host(host: str) -> bool:
    """A plain name, or an address in its usual spelling that holds no other one."""
    try:
        address = ip_address(host)
    except ValueError:
        labels = host.split(".")
        return ":" not in host and all(labels) and not labels[-1][0].isdigit()
    if isinstance(address, IPv6Address) and _holds_ipv4(address):
        return False
    return str(address) == host


def _holds_ipv4(address: IPv6Address) -> bool:
    return bool(address.ipv4_mapped or address.sixtofour or address.teredo or 1 < int(address) < 1 << 32)

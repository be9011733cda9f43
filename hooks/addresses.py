"""What an address is: base URLs, https, and what can only be reached from the machine itself."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

NO_DATABASE = "none"
"""In the place of a database's address: answers are not recorded."""
OWN_DATABASE = "sqlite:///firstline.db"
"""Where ``python -m hooks.serve`` records when the site says nothing."""


def is_loopback(host: str) -> bool:
    """Whether this address or name can only be reached from the machine itself."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_base_url(url: str) -> bool:
    """An absolute http(s) address that a path can be appended to."""
    parts = _parts(url)
    return parts is not None and not (parts.query or parts.fragment or "@" in parts.netloc)


def is_guarded_url(url: str) -> bool:
    """An absolute address that nobody on the way can read or change: https, or this machine itself."""
    parts = _parts(url)
    if parts is None or parts.fragment or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def _parts(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) address; None for anything else."""
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None

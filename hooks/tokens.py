"""A client's token (JWT): read, its claims checked against what the site allows, its signature verified.

Every failure is the same ``TokenError``: it says nothing of why, for the caller is told nothing either.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Struct

from hooks.key_sets import Key

LONGEST_TOKEN = 16_384
LONGEST_ID = 1_024
LATEST = 1e11
"""No instant of a token is thousands of years away, nor infinite, nor no number at all."""
PARTS = 3
_object = msgspec.json.Decoder(dict[str, Any])


class _Heads(jws.JWSRegistry):
    """Heads may be long, as where a certificate chain is sent, and hold more than is read here."""

    max_header_length = LONGEST_TOKEN

    def __init__(self, algorithms: list[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)


class TokenError(Exception):
    """The token is not to be believed. Carries no reason on purpose."""


class Token(Struct, frozen=True):
    """A token as it was sent, believed by nobody yet. Instants are seconds since 1970."""

    compact: bytes
    algorithm: str
    kid: str
    jku: str | None
    issuer: str
    audience: tuple[str, ...]
    expires: float
    issued: float
    not_before: float | None
    jti: str
    tenant: str | None

    def __repr__(self) -> str:
        return "Token(...)"


def read_token(header: bytes) -> Token:
    """The token of an ``Authorization`` header. Raises ``TokenError``."""
    scheme, _, compact = header.partition(b" ")
    compact = compact.strip()
    parts = compact.split(b".")
    if scheme.lower() != b"bearer" or len(compact) > LONGEST_TOKEN or len(parts) != PARTS:
        raise TokenError
    head, claims = _decoded(parts[0]), _decoded(parts[1])
    if "crit" in head or str(head.get("typ", "")).upper() != "JWT":
        raise TokenError
    return Token(
        compact=compact,
        algorithm=_text(head, "alg"),
        kid=_text(head, "kid"),
        jku=_text(head, "jku") if "jku" in head else None,
        issuer=_text(claims, "iss"),
        audience=_texts(claims.get("aud")),
        expires=_instant(claims, "exp"),
        issued=_instant(claims, "iat"),
        not_before=_instant(claims, "nbf") if "nbf" in claims else None,
        jti=_text(claims, "jti"),
        tenant=_text(claims, "tenant") if claims.get("tenant") is not None else None,
    )


def check_claims(token: Token, endpoint: str, now: float, longest_seconds: float, skew_seconds: float) -> None:
    """Whether the token is for this very endpoint and for this time. Raises ``TokenError``."""
    ends, starts = token.expires + skew_seconds, token.issued - skew_seconds
    if endpoint not in token.audience or not starts <= now < ends:
        raise TokenError
    if not 0 < token.expires - token.issued <= longest_seconds:
        raise TokenError
    if token.not_before is not None and now < token.not_before - skew_seconds:
        raise TokenError


def check_signature(token: Token, keys: Sequence[Key], algorithms: Collection[str]) -> None:
    """Whether one of these keys signed the token, by an algorithm that is allowed. Raises ``TokenError``."""
    for key in keys:
        try:
            jws.deserialize_compact(token.compact, key, registry=_Heads(algorithms=list(algorithms)))
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        return
    raise TokenError


def _decoded(part: bytes) -> dict[str, Any]:
    """A part as JSON. What is not plain base64url of an object is refused."""
    try:
        padded = part + b"=" * (-len(part) % 4)
        return _object.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenError from None


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise TokenError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(entry, str) for entry in listed):
        raise TokenError
    return tuple(listed)


def _instant(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LATEST < value < LATEST:
        raise TokenError
    return float(value)

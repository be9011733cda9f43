"""Names of what an answer holds: the same call gets the same ones again."""

import hashlib
from uuid import UUID

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def named(namespace: UUID, what: str) -> str:
    """The UUID of version 5 (RFC 9562, 5.5) in writing: ``uuid5`` without an object that is printed and thrown away."""
    digest = hashlib.sha1(namespace.bytes + what.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"

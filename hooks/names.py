"""Names of what an answer holds: the same call gets the same ones again. UUIDs of version 5 (RFC 9562, 5.5)."""

import hashlib

_START = hashlib.sha1(usedforsecurity=False)
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def named(namespace: bytes, what: str) -> str:
    """The UUID of this name in writing: ``uuid5`` without an object that is printed and thrown away."""
    digest = _START.copy()
    digest.update(namespace + what.encode())
    text = digest.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def namespace_of(parent: bytes, what: str) -> bytes:
    """The 16 bytes of such a UUID: the namespace of further names."""
    digest = _START.copy()
    digest.update(parent + what.encode())
    made = bytearray(digest.digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    return bytes(made)

"""A client with keys of its own, and a service that trusts it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from hooks.settings import Settings
from hooks.tenants import Tenant

NOW = 1_772_355_600.0
TODAY = datetime.fromtimestamp(NOW, UTC)
PUBLIC = "https://cds.example.org/firstline"
ISSUER = "https://ehr.example.org"
JKU = "https://ehr.example.org/jwks.json"
DISCOVERY = PUBLIC + "/cds-services"
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
OTHER_EC = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
NEXT_EC = ECKey.generate_key("P-384", {"kid": "ec-2", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})


class AnyHead(jws.JWSRegistry):
    max_header_length = 100_000


def jwks(*keys: ECKey | RSAKey) -> dict[str, Any]:
    """The public parts of these keys."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def stored_jwks(folder: Path, *keys: ECKey | RSAKey) -> str:
    path = folder / "jwks.json"
    path.write_text(json.dumps(jwks(*keys)), encoding="utf-8")
    return str(path)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token for discovery; None takes one away."""
    usual = {"iss": ISSUER, "aud": DISCOVERY, "exp": int(NOW) + 300, "iat": int(NOW), "jti": "one", **changed}
    return {name: value for name, value in usual.items() if value is not None}


def signed(key: Any = EC, alg: str = "ES384", header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token; ``header`` changes or (None) takes away what its head usually holds, ``changed`` its claims."""
    head = {"alg": alg, "typ": "JWT", "kid": getattr(key, "kid", "ec-1"), **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(
        head, claims(**changed), key, registry=AnyHead(algorithms=[alg], strict_check_header=False), default_type=None
    )


def trusting(place: str | None = None, **more: Any) -> Settings:
    """A site with one client whose keys are at this place."""
    site = {name: more.pop(name) for name in list(more) if name in Settings.__struct_fields__}
    tenant = Tenant(**{"name": "north", "issuers": (ISSUER,), "jwks": place, **more})
    return Settings(**{"today": TODAY, "public_url": PUBLIC, "tenants": (tenant,), **site})

"""Who asks, for what stands around the routes."""

from starlette.datastructures import Headers
from starlette.types import Scope

from service.security import HEADER, Keyring

_BEARER = "bearer"


def sent_key(headers: Headers) -> str | None:
    """Return the key of a request: in its own header, or as a bearer token, as Prometheus sends one."""
    key = headers.get(HEADER)
    if key is not None:
        return key
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == _BEARER and token.strip() else None


def key_name(scope: Scope, keys: Keyring) -> str | None:
    """Return whose key a request carries; None where no keys are set, or it carries none that is known."""
    found = keys.find(sent_key(Headers(scope=scope))) if keys.callers else None
    return None if found is None else found.name


def address(scope: Scope) -> str:
    """Return where a request comes from; empty where the server does not know."""
    client = scope.get("client")
    return str(client[0]) if client else ""

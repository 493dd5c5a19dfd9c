"""Who asks, for what stands around the routes."""

from starlette.datastructures import Headers
from starlette.types import Scope

from service.security import HEADER, Keyring


def key_name(scope: Scope, keys: Keyring) -> str | None:
    """Return whose key a request carries; None where no keys are set, or it carries none that is known."""
    found = keys.find(Headers(scope=scope).get(HEADER)) if keys.callers else None
    return None if found is None else found.name


def address(scope: Scope) -> str:
    """Return where a request comes from; empty where the server does not know."""
    client = scope.get("client")
    return str(client[0]) if client else ""

"""How a secret may look in what somebody says."""

import base64
import html
import json
from urllib.parse import quote, quote_plus


def spellings(secret: str) -> set[str]:
    """How a secret may look in what somebody else says: each form is written here as it would be there."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    # Inside base64 it begins at one of three places; some characters at both ends depend on its neighbours.
    for before in ("", "x", "xx"):
        whole = base64.b64encode(f"{before}{secret}".encode()).decode().rstrip("=")
        found |= {whole[4:-2], whole[4:-2].replace("+", "-").replace("/", "_")}
    return found

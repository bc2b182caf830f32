"""How a receiver knows that a webhook is from this node, and new: the scheme of Standard Webhooks, symmetric ``v1``.

Spec: Standard Webhooks (github.com/standard-webhooks): HMAC-SHA256 over ``id.timestamp.body``; several signatures,
separated by spaces, while a secret is rotated; secrets as ``whsec_`` and base64.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

__all__ = ["SECRET_BYTES", "secret_text", "signed_headers"]

SECRET_BYTES = 32
_PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret as its receiver is given it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed_headers(event_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers ``webhook-id``, ``webhook-timestamp`` (seconds) and ``webhook-signature``."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }

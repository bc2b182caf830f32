"""The one error hierarchy of lernode.

An error is classed by what the caller can do about it, never by the module it comes from, and carries
a stable code (``area.what``), one sentence that says what happened, and a hint that says what to do.
Neither message nor hint may contain secrets or personal data: they reach logs and peers.
"""

from __future__ import annotations

__all__ = ["BadInput", "LernodeError", "NotNow", "PeerFault", "WrongState"]


class LernodeError(Exception):
    """Base of every error that lernode raises on purpose.

    Args:
        code: stable, dotted, lower case, e.g. ``"envelope.unreadable"``; documented in docs/errors.md.
        message: one sentence: what is wrong.
        hint: one sentence: what to do next.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[LernodeError], tuple[str, str, str]]:
        return type(self), (self.code, self.message, self.hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(LernodeError):
    """What the caller gave is wrong; giving the same again will fail again (HTTP 400)."""


class WrongState(LernodeError):
    """The thing exists but is not in a state that allows this, or does not exist (HTTP 409 or 404)."""


class PeerFault(LernodeError):
    """A message from a peer breaks its protocol; it is refused and nothing is changed."""


class NotNow(LernodeError):
    """It may work later: the network, a peer or a resource is away (HTTP 503)."""

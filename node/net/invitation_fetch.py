"""Fetches the invitation behind a short link (Aries RFC 0434 §URL Shortening)."""

from __future__ import annotations

from node.net.guarded_http import GuardedHttp
from protocols.errors import BadInput
from protocols.out_of_band import link

__all__ = ["InvitationFetcher"]


class InvitationFetcher:
    """Turns what a person pastes into the text of an invitation."""

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http

    async def text(self, pasted: str) -> str:
        """The invitation's JSON where ``pasted`` is a short link, else ``pasted`` itself.

        Raises:
            BadInput: ``net.*``, ``invitation.not_there`` where nothing, or no invitation any more, is behind the link.
            NotNow: ``net.*``.
        """
        if not link.is_short(pasted):
            return pasted
        response = await self._http.get(pasted.strip(), max_bytes=link.MAX_TEXT_BYTES)
        text = response.body.decode("utf-8", "replace").strip()
        if response.status != 200 or not text.startswith("{"):
            raise BadInput(
                "invitation.not_there", "There is no invitation behind that link.", "It was used, or ask for a new one."
            )
        return text

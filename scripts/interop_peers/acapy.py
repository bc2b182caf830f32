"""ACA-Py (OpenWallet Foundation, PyPI ``acapy-agent``), driven through its admin API.

It is started as its users start it without a ledger, with an Askar wallet in SQLite. Its holder's decisions are made by
the matrix and not by ``--auto-respond-...``, as a record has to be requested for a DID of its wallet to be presented.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import uuid4

from protocols import strict_json
from protocols.multiformats import b64url_decode
from scripts.interop_peers.acapy_agent import AcaPyAgent, install, version
from scripts.interop_peers.peer import DataModel, eventually

__all__ = ["AcaPy"]

_OPTIONS = (
    "--auto-accept-requests", "--auto-respond-credential-request", "--auto-store-credential",
    "--auto-verify-presentation", "--preserve-exchange-records", "--open-mediation",
)  # fmt: skip
_CREDENTIALS = "/issue-credential-2.0"
_PROOFS = "/present-proof-2.0"
_DISCOVERY = {
    "1.0": ("/discover-features/query", "/discover-features/records", "disclose", "protocols", "pid"),
    "2.0": ("/discover-features-2.0/queries", "/discover-features-2.0/records", "disclosures", "disclosures", "id"),
}
"""Version -> where to ask, where the answer is, and how it is written there."""


class AcaPy:
    """One agent of ACA-Py."""

    key: ClassVar[str] = "acapy"
    name: ClassVar[str] = "ACA-Py"
    answers_with: ClassVar[tuple[str, ...]] = ("did:peer:4", "did:peer:2")
    invites_with: ClassVar[tuple[str | None, ...]] = ("did:peer:4", "did:peer:2")
    data_models: ClassVar[tuple[DataModel, ...]] = ("1.1", "2.0")
    proof_types: ClassVar[tuple[str, ...]] = ("Ed25519Signature2020", "Ed25519Signature2018")
    takes_status: ClassVar[bool] = True

    def __init__(self) -> None:
        self._folder = Path()
        self._agent = AcaPyAgent(self._folder, self._folder, self.name)

    @property
    def version(self) -> str:
        """Of the package."""
        return version(self._folder)

    async def install(self, folder: Path) -> None:
        """A virtual environment with the package.

        Raises:
            PeerMissing: there is no Python that it runs on.
        """
        self._folder = folder
        self._agent = AcaPyAgent(folder, folder / "home", self.name)
        await install(folder)

    async def start(self, port: int) -> None:
        """Start it with a new wallet."""
        await self._agent.start(port, *_OPTIONS)

    async def stop(self) -> None:
        """Stop it, gently first."""
        await self._agent.stop()

    async def make_did(self) -> str:
        """A did:key in its wallet."""
        return await self._agent.make_did()

    # Connections --------------------------------------------------------------------------------------------------

    async def accept_invitation(self, url: str, did_method: str) -> str:
        """Answer an invitation."""
        invitation = strict_json.loads_object(b64url_decode(url.partition("oob=")[2]))
        made = await self._agent.post("/out-of-band/receive-invitation", invitation, auto_accept="false")
        connection = str(made["connection_id"])
        await self._agent.post(f"/didexchange/{connection}/accept-invitation", None, use_did_method=did_method)
        await self._complete(connection)
        return connection

    async def invite(self, handshake: str, did_method: str | None) -> tuple[str, str]:
        """An invitation, with the service as a DID of this method."""
        wanted = {"handshake_protocols": [handshake], "use_did_method": did_method}
        made = await self._agent.post("/out-of-band/create-invitation", wanted, auto_accept="true")
        return str(made["invitation_url"]), str(made["invi_msg_id"])

    async def invited(self, invitation_id: str) -> str:
        """The connection that came of an invitation."""

        async def look() -> str | None:
            found = (await self._agent.get("/connections", invitation_msg_id=invitation_id))["results"]
            return next((str(one["connection_id"]) for one in found if one["rfc23_state"] == "completed"), None)

        return await eventually(look, "connection at ACA-Py")

    async def ping(self, connection: str) -> None:
        """Send a trust ping."""
        await self._agent.post(f"/connections/{connection}/send-ping", {"comment": "Are you there?"})

    async def features(self, connection: str, version: Literal["1.0", "2.0"]) -> Collection[str]:
        """What the other side discloses."""
        ask, records, answer, listed, name = _DISCOVERY[version]
        asked = await self._agent.get(ask, connection_id=connection)

        async def look() -> list[str] | None:
            found = (await self._agent.get(records, connection_id=connection))["results"]
            mine = (one for one in found if one["discovery_exchange_id"] == asked["discovery_exchange_id"])
            disclosed = next((one[answer] for one in mine if one.get(answer)), None)
            return None if disclosed is None else [str(feature[name]) for feature in disclosed[listed]]

        return await eventually(look, "disclosures at ACA-Py")

    async def hang_up(self, connection: str) -> None:
        """End a connection."""
        await self._agent.post(f"/did-rotate/{connection}/hangup", None)

    async def ended(self, connection: str) -> None:
        """Wait until a connection was ended by the other side; ACA-Py then forgets it."""

        async def look() -> bool | None:
            found = (await self._agent.get("/connections"))["results"]
            return None if any(one["connection_id"] == connection for one in found) else True

        await eventually(look, "end of the connection at ACA-Py")

    # Issue Credential ---------------------------------------------------------------------------------------------

    async def offer(self, connection: str, credential: dict[str, Any], proof_type: str) -> str:
        """Offer a record."""
        detail = {"credential": credential, "options": {"proofType": proof_type}}
        wanted = {"connection_id": connection, "filter": {"ld_proof": detail}, "auto_issue": True}
        return str((await self._agent.post(f"{_CREDENTIALS}/send-offer", wanted))["thread_id"])

    async def request_offered(self, thread: str, subject: str) -> None:
        """Request what is offered for a DID of the wallet."""
        record = await self._credential_in(thread, "offer-received")
        await self._agent.post(f"{_CREDENTIALS}/records/{record['cred_ex_id']}/send-request", {"holder_did": subject})

    async def decline_offer(self, thread: str, reason: str) -> None:
        """Answer an offer with a problem report."""
        record = await self._credential_in(thread, "offer-received")
        await self._agent.post(f"{_CREDENTIALS}/records/{record['cred_ex_id']}/problem-report", {"description": reason})

    async def issued(self, thread: str) -> None:
        """Wait for the holder's acknowledgement."""
        await self._credential_in(thread, "done")

    async def stored(self, thread: str) -> None:
        """Wait until a record is stored."""
        await self._credential_in(thread, "done")

    # Present Proof ------------------------------------------------------------------------------------------------

    async def request_proof(self, connection: str, definition: dict[str, Any]) -> str:
        """Ask for records; without options ACA-Py fails at its own request when it checks the answer."""
        options = {"challenge": str(uuid4()), "domain": "acapy.example"}
        asked = {"options": options, "presentation_definition": definition}
        wanted = {"connection_id": connection, "presentation_request": {"dif": asked}}
        return str((await self._agent.post(f"{_PROOFS}/send-request", wanted))["thread_id"])

    async def present(self, thread: str) -> None:
        """Answer a request with what fits."""
        record = await self._proof_in(thread, "request-received")
        await self._agent.post(f"{_PROOFS}/records/{record['pres_ex_id']}/send-presentation", {"dif": {}})

    async def acknowledged(self, thread: str) -> None:
        """Wait for the verifier's acknowledgement."""
        await self._proof_in(thread, "done")

    async def decline_proof(self, thread: str, reason: str) -> None:
        """Answer a request with a problem report."""
        record = await self._proof_in(thread, "request-received")
        await self._agent.post(f"{_PROOFS}/records/{record['pres_ex_id']}/problem-report", {"description": reason})

    async def verified(self, thread: str) -> None:
        """Wait until a presentation is verified.

        Raises:
            ValueError: it was found not to be genuine.
        """
        record = await self._proof_in(thread, "done")
        if record.get("verified") != "true":
            raise ValueError(f"ACA-Py did not verify it: {record.get('error_msg') or record.get('verified')}")

    async def declined(self, thread: str) -> None:
        """Wait until an exchange was ended by the other side."""

        async def look() -> bool | None:
            found = (await self._credential(thread), await self._proof(thread))
            return any(record is not None and record["state"] == "abandoned" for record in found) or None

        await eventually(look, "problem report at ACA-Py")

    # Its admin API ------------------------------------------------------------------------------------------------

    async def _complete(self, connection: str) -> None:
        async def look() -> bool | None:
            record = await self._agent.get(f"/connections/{connection}")
            if record["rfc23_state"] == "abandoned":
                raise ValueError(f"ACA-Py gave the connection up: {record.get('error_msg')}")
            return True if record["rfc23_state"] == "completed" else None

        await eventually(look, "connection at ACA-Py")

    async def _credential_in(self, thread: str, state: str) -> dict[str, Any]:
        return await eventually(lambda: _in_state(self._credential(thread), state), f"{state} at ACA-Py")

    async def _proof_in(self, thread: str, state: str) -> dict[str, Any]:
        return await eventually(lambda: _in_state(self._proof(thread), state), f"{state} at ACA-Py")

    async def _credential(self, thread: str) -> dict[str, Any] | None:
        found = (await self._agent.get(f"{_CREDENTIALS}/records", thread_id=thread))["results"]
        return found[0]["cred_ex_record"] if found else None

    async def _proof(self, thread: str) -> dict[str, Any] | None:
        found = (await self._agent.get(f"{_PROOFS}/records", thread_id=thread))["results"]
        return found[0] if found else None


async def _in_state(record: Any, state: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await record
    if found is None or found["state"] == state:
        return found
    if found["state"] == "abandoned":
        raise ValueError(f"ACA-Py gave the exchange up: {found.get('error_msg')}")
    return None

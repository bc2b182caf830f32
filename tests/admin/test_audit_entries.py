"""What an operator of one node changes by hand stands in the audit trail, each with an entry of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.admin.helpers import Client, make_node, served


async def events(client: Client) -> list[str]:
    return [entry["event"] for entry in (await client.get("/admin/log?limit=1000"))["items"]]


async def test_each_change_of_an_operator_has_an_entry(tmp_path: Path) -> None:
    await make_node(tmp_path / "college", "college", issuer=True)
    async with served(tmp_path / "college") as (_, client):

        async def expect(event: str, path: str, method: str = "POST", **body: Any) -> Any:
            before = await events(client)
            status, answer = await client.ask(method, path, json=body)
            assert status < 300, answer
            assert (await events(client))[len(before) :] == [event], path
            return answer

        made = await expect("did.created", "/admin/dids", purpose="issuer")
        await expect("did.chosen", f"/admin/dids/{made['did']}/default")
        (web,) = [own for own in (await client.get("/admin/dids"))["items"] if own["method"] == "web"]
        await expect("did.key_added", f"/admin/dids/{quote(web['did'], safe='')}/keys", kind="p256")
        await expect("invitation.created", "/admin/invitations")
        award = {"achievement": "weld-101", "did": "did:example:ada", "name": "Ada"}
        record = await expect("record.issued", "/admin/credentials/issue", **award)
        for action, event in (
            ("suspend", "record.suspended"),
            ("reinstate", "record.reinstated"),
            ("revoke", "record.revoked"),
        ):
            await expect(event, f"/admin/issued/{record['id']}/status", action=action)
        added = await expect("webhook.added", "/admin/webhooks", url="http://localhost:9/hook")
        webhook = f"/admin/webhooks/{added['webhook']['id']}"
        await expect("webhook.rotated", f"{webhook}/rotate")
        await expect("webhook.replayed", f"{webhook}/replay")
        await expect("webhook.resumed", f"{webhook}/resume")
        await expect("webhook.removed", webhook, "DELETE")
        await expect("person.erased", "/admin/erasures", subject="did:example:ada")

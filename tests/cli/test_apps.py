"""``lernode apps``: an owner sees who asks, lets an app in, and ends it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from tests.admin.helpers import make_node
from tests.cli.conftest import Command
from tests.node.ob_client import METADATA, READ, REDIRECT
from tests.opening import KEY

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    await make_node(tmp_path / "n", "Ada")
    return tmp_path / "n"


@pytest.fixture
async def page(home: Path) -> tuple[str, str]:
    """The number of a request that waits, and what its browser has."""
    node = await Node.open(home, KEY)
    try:
        client = (await node.apps.register(METADATA)).client
        asked = await node.apps.ask(
            {
                "response_type": "code",
                "client_id": client.id,
                "redirect_uri": REDIRECT,
                "scope": f"{READ} offline_access",
                "state": "s",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )
        assert not isinstance(asked, str)
        return asked.request.id, asked.browser
    finally:
        await node.stop()


async def typed(home: Path, page: tuple[str, str], code: str) -> str | None:
    node = await Node.open(home, KEY)
    try:
        return (await node.apps.decide(*page, code)).url
    finally:
        await node.stop()


def listed(lernode: Command) -> dict[str, Any]:
    code, shown = lernode("apps", "--json")
    assert code == 0, shown
    return dict(json.JSONDecoder().raw_decode(shown)[0])


def test_an_owner_lets_an_app_in_and_ends_it(lernode: Command, home: Path, page: tuple[str, str]) -> None:
    code, shown = lernode("apps")
    number = f"{page[0][:4]}-{page[0][4:]}"
    assert (code, number in shown, "Platform" in shown, REDIRECT in shown) == (0, True, True, True)
    code, shown = lernode("apps", "approve", number, "--only", "credential.readonly", "--yes", "--json")
    assert code == 0, shown
    given = json.JSONDecoder().raw_decode(shown)[0]
    assert given["request"]["scopes"] == ["credential.readonly"]
    url = asyncio.run(typed(home, page, given["code"]))
    assert url is not None
    assert "code=" in url
    (app,) = listed(lernode)["apps"]
    assert [grant["scopes"] for grant in app["grants"]] == [["credential.readonly"]]
    code, shown = lernode("apps", "revoke", app["id"][:8])
    assert (code, "Platform can do nothing here any more." in shown) == (0, True)
    assert listed(lernode) == {"apps": [], "requests": []}


def test_a_no_is_kept_and_a_number_that_is_none_is_explained(lernode: Command, page: tuple[str, str]) -> None:
    assert lernode("apps", "decline", page[0].lower())[0] == 0
    assert [each["state"] for each in listed(lernode)["requests"]] == ["declined"]
    code, shown = lernode("apps", "approve", "AAAA-AAAA", "--yes")
    assert (code, "lernode apps" in shown) == (2, True)

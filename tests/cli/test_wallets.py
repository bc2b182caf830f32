"""``lernode wallets``: an owner connects a wallet in the browser, gives it records, takes its own, and ends it."""

from __future__ import annotations

import asyncio
import json
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from node.app import Node
from node.roles.issuer import Award
from tests.admin.helpers import make_node
from tests.cli.conftest import Command
from tests.node.foreign_wallet import ForeignWallet, foreign_wallet
from tests.opening import KEY


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForeignWallet]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # of the peer: it is on loopback here
    with foreign_wallet() as made:
        yield made


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    await make_node(tmp_path / "n", "Ada", issuer=True)
    return tmp_path / "n"


def as_json(shown: str) -> Any:
    return json.JSONDecoder().raw_decode(shown[min(shown.find(mark) for mark in "[{" if mark in shown) :])[0]


async def a_badge(home: Path) -> bytes:
    node = await Node.open(home, KEY)
    try:
        achievement = json.loads((home / "catalogue.json").read_bytes())[0]["id"]
        return (await node.issuer.issue(Award(achievement_id=achievement, subject_did="did:example:a"))).document
    finally:
        await node.stop()


def test_an_owner_connects_a_wallet_in_the_browser_and_badges_go_to_and_fro(
    lernode: Command, home: Path, wallet: ForeignWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[requests.Response] = []
    browsers: list[threading.Thread] = []

    def browse(url: str) -> bool:
        """A browser that is led from page to page, with a forged answer before the good one."""

        def go() -> None:
            led_to = requests.get(url, timeout=30, allow_redirects=False).headers["Location"]
            pages.append(requests.get(f"{led_to.partition('?')[0]}?code=forged&state=forged", timeout=30))
            pages.append(requests.get(led_to, timeout=30))

        browsers.append(threading.Thread(target=go))
        browsers[-1].start()
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    code, shown = lernode("wallets", "connect", f"{wallet.base}/tenant")
    browsers[0].join()
    assert (code, "Connected: Another wallet" in shown) == (0, True), shown
    assert ["does not answer" in pages[0].text, "Another wallet is connected." in pages[1].text] == [True, True]
    (made,) = as_json(lernode("wallets", "--json")[1])
    assert (made["state"], "credential.upsert" in made["scopes"]) == ("connected", True)

    file = home / "badge.json"
    file.write_bytes(asyncio.run(a_badge(home)))
    kept = as_json(lernode("import", file, "--unverified", "--json")[1])
    assert kept["new"] == 1
    (record,) = as_json(lernode("records", "--json")[1])["items"]
    code, shown = lernode("wallets", "push", made["id"][:8], record["id"][:8])
    assert (code, "is there now" in shown) == (0, True), shown
    assert list(wallet.badges.values()) == [file.read_bytes()]
    code, shown = lernode("wallets", "pull", made["id"], "--unverified", "--json")
    assert (code, [each["outcome"] for each in as_json(shown)]) == (0, ["none"]), shown
    code, shown = lernode("wallets", "pull", made["id"])
    assert (code, "is not taken" in shown) == (1, True), shown

    profile = home / "profile.json"
    profile.write_text(json.dumps(wallet.profile | {"name": "Ada"}))
    assert lernode("wallets", "profile", made["id"], "--put", profile)[0] == 0
    assert as_json(lernode("wallets", "profile", made["id"])[1])["name"] == wallet.profile["name"] == "Ada"
    code, shown = lernode("wallets", "disconnect", made["id"])
    assert (code, "is disconnected" in shown, "was not told" in shown) == (0, True, False)
    assert all(token.is_over for token in wallet.tokens)
    assert "No wallet is connected." in lernode("wallets")[1]


def test_an_owner_whose_browser_is_elsewhere_pastes_the_address(
    lernode: Command, wallet: ForeignWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed(*_: Any, **__: Any) -> str:
        (asked,) = [path for method, path in wallet.seen if path.startswith("/register")] and [dict(wallet.clients)]
        (client,) = asked.values()
        return f"{client.metadata['redirect_uris'][0]}?code=x&state=guessed\n"

    monkeypatch.setattr("click.termui.visible_prompt_func", typed)
    code, shown = lernode("wallets", "connect", f"{wallet.base}/tenant", "--paste")
    assert (code, "does not answer what this node asked for" in shown) == (2, True), shown
    assert wallet.tokens == []

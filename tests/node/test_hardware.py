"""The key of an institution is in a PKCS#11 token (SoftHSM) and signs there; what needs no signature does without."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.config import KeysConfig
from node.http import admin_node
from node.http.admin_operation import Call
from node.http.schemas import DidView, KeyRotation, NewDid, NewKey
from node.roles.issuer import Award
from node.runtime.hardware import Token, TokenSigner
from protocols import strict_json
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from protocols.keys import PublicKey
from storage import dids
from storage.dids import DidPurpose
from tests.node.nodes import WELDING, Nodes, connect, free_port, give, held
from tests.opening import KEY, KEY_TEXT
from tests.softhsm import MODULE, PIN, add_key, new_token

ALL = {"ed25519": "eddsa-rdfc-2022", "p256": "ecdsa-rdfc-2019", "p384": "ecdsa-rdfc-2019"}


@pytest.fixture
async def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nodes]:
    monkeypatch.setenv("LERNODE_PKCS11_PIN", PIN)
    made = Nodes(tmp_path)
    yield made
    await made.stop_all()


def section(token: str) -> dict[str, Any]:
    return {"pkcs11_module": str(MODULE), "pkcs11_token": token}


async def make(nodes: Nodes, token: str, securing: str = "ecdsa-rdfc-2019") -> Node:
    """A college that has no issuer's DID yet."""
    college = await nodes.make("college", keys=section(token))
    await nodes.stop(college)
    file = college.home / "lernode.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[issuer]\n", f'[issuer]\nsecuring = "{securing}"\n'), encoding="utf-8")
    return await nodes.again(college)


async def take(node: Node, label: str) -> DidView:
    wanted = NewDid(method="web", purpose="issuer", token_key=label)
    return await admin_node.create_did(node, Call("", None, wanted, asyncio.Event()))


async def issue(node: Node) -> dict[str, Any]:
    record = await node.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    assert (await node.verifier.verify_document(record.document, any_issuer=True)).verified
    return strict_json.loads_object(record.document)


@pytest.mark.parametrize("kind", list(ALL))
async def test_records_and_status_lists_are_signed_in_the_token(nodes: Nodes, kind: str) -> None:
    token = new_token()
    add_key(token, "registrar", kind)
    college = await make(nodes, token, ALL[kind])
    shown = await take(college, "registrar")
    assert [key.kind for key in shown.keys] == [kind]
    assert (await issue(college))["proof"]["cryptosuite"] == ALL[kind]
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    record = await give(college, to_learner.id)
    await college.issuer.set_status(record.id, "revocation", True, None)
    assert len(await held(learner)) == 1
    await college.trail.sign()
    assert (await college.trail.verify()).whole
    await nodes.stop(college)
    college = await nodes.again(college)
    await issue(college)


async def test_the_key_is_never_in_the_store(nodes: Nodes) -> None:
    token = new_token()
    add_key(token, "registrar", "p256")
    college = await make(nodes, token)
    await take(college, "registrar")
    async with college.store.read() as tx:
        rows = await tx.all("SELECT place, kind FROM keys WHERE place = 'token'")
    assert [tuple(row) for row in rows] == [("token", "p256")]
    async with college.store.read() as tx:
        signer = await college.identity.signer(tx, await college.identity.default(tx, DidPurpose.ISSUER))
    assert isinstance(signer, TokenSigner)
    assert signer.key.label == "registrar"
    content = b"".join(file.read_bytes() for file in college.home.glob("node.sqlite*"))
    assert b"registrar" not in content
    assert PIN.encode() not in content


async def test_a_node_is_made_with_its_key_in_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = new_token()
    add_key(token, "registrar", "p384")
    home, port = tmp_path / "college", str(free_port())
    monkeypatch.setenv("LERNODE_KEY", KEY_TEXT)
    monkeypatch.setenv("LERNODE_PKCS11_PIN", PIN)
    named = ["--pkcs11-module", str(MODULE), "--pkcs11-token", token, "--pkcs11-key", "registrar"]
    result = await asyncio.to_thread(
        CliRunner().invoke, cli, ["init", "--home", str(home), "--local", "--port", port, "--issuer", *named]
    )
    assert result.exit_code == 0, result.output
    node = await Node.open(home, KEY)
    try:
        async with node.store.read() as tx:
            own = await node.identity.default(tx, DidPurpose.ISSUER)
            signer = await node.identity.signer(tx, own)
        assert isinstance(signer, TokenSigner)
        assert own.keys[0].public.verify(b"text", await asyncio.to_thread(signer.sign, b"text"))
    finally:
        await node.stop()


async def test_a_key_of_the_store_hands_over_to_one_of_the_token(nodes: Nodes) -> None:
    token = new_token()
    add_key(token, "registrar", "ed25519")
    college = await nodes.make("college", issuer=True, keys=section(token))
    before = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    async with college.store.read() as tx:
        did = (await college.identity.default(tx, DidPurpose.ISSUER)).did
    wanted = KeyRotation(token_key="registrar")
    shown = await admin_node.rotate_did_keys(college, Call(did, None, wanted, asyncio.Event()))
    assert [key.state for key in shown.former_keys] == ["retired"]
    assert (await issue(college))["proof"]["verificationMethod"].endswith("#key-2")
    assert (await college.verifier.verify_document(before.document, any_issuer=True)).verified


async def test_while_the_token_is_away_only_signing_fails_and_it_works_again_after(nodes: Nodes) -> None:
    token = new_token()
    add_key(token, "registrar", "p256")
    college = await make(nodes, token)
    await take(college, "registrar")
    await nodes.stop(college)
    text = (college.home / "lernode.toml").read_text(encoding="utf-8")
    (college.home / "lernode.toml").write_text(text.replace(token, f"{token}-later"), encoding="utf-8")
    college = await nodes.again(college)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    with pytest.raises(NotNow) as caught:
        await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    assert caught.value.code == "token.unreachable"
    async with college.store.read() as tx:
        assert await dids.default(tx, DidPurpose.HOLDER) is not None
    new_token(f"{token}-later")
    with pytest.raises(WrongState) as unknown:
        await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    assert unknown.value.code == "token.key_unknown"
    add_key(f"{token}-later", "registrar", "p256")
    with pytest.raises(WrongState) as another:  # another key under the same label
        await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    assert another.value.code == "token.key_unknown"
    assert to_learner.state == "completed"


@pytest.mark.parametrize(
    ("changed", "pin", "error", "code"),
    [
        ({}, "0000", WrongState, "token.pin_refused"),
        ({"pkcs11_token": "nobody's"}, PIN, NotNow, "token.unreachable"),
        ({"pkcs11_module": "/nowhere/libtoken.so"}, PIN, NotNow, "token.unreachable"),
        ({"pkcs11_module": ""}, PIN, WrongState, "token.not_configured"),
        ({"pkcs11_pin_file": "absent"}, PIN, BadInput, "config.pkcs11_pin"),
    ],
)
async def test_a_token_that_cannot_be_used_says_why(
    tmp_path: Path, changed: dict[str, str], pin: str, error: type[LernodeError], code: str
) -> None:
    label = new_token()
    add_key(label, "registrar", "p256")
    token = Token(KeysConfig(**(section(label) | changed)), tmp_path, {"LERNODE_PKCS11_PIN": pin})
    for _ in range(2):
        with pytest.raises(error) as caught:
            await token.find("registrar")
        assert caught.value.code == code
        assert pin not in str(caught.value)


async def test_the_pin_comes_from_a_credential_of_systemd(tmp_path: Path) -> None:
    label = new_token()
    add_key(label, "registrar", "p256")
    (tmp_path / "lernode.pkcs11-pin").write_text(PIN)
    token = Token(KeysConfig(**section(label)), tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    key = await token.find("registrar")
    signature = await asyncio.to_thread(token.sign, key, b"text")
    assert PublicKey(key.codec, key.public).verify(b"text", signature)
    token.close()


async def test_the_event_loop_goes_on_while_the_token_works(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    token = new_token()
    add_key(token, "registrar", "p256")
    college = await make(nodes, token)
    await take(college, "registrar")
    slow, goes_on = threading.Event(), asyncio.Event()
    loop, sign = asyncio.get_running_loop(), Token.sign

    def signing(self: Token, key: Any, data: bytes) -> bytes:
        loop.call_soon_threadsafe(goes_on.set)
        assert slow.wait(20)
        return sign(self, key, data)

    monkeypatch.setattr(Token, "sign", signing)
    issuing = asyncio.create_task(college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org")))
    await asyncio.wait_for(goes_on.wait(), 20)
    async with college.store.read() as tx:  # others read meanwhile
        assert await dids.default(tx, DidPurpose.ISSUER) is not None
    slow.set()
    await issuing


async def test_a_key_to_add_is_of_a_kind_or_of_the_token(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    with pytest.raises(BadInput) as caught:
        await admin_node.add_did_key(college, Call("did:web:x", None, NewKey(), asyncio.Event()))
    assert caught.value.code == "did.keys_unfit"

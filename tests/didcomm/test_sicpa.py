"""What we pack, SICPA's didcomm 0.3.2 unpacks, and the other way round; it runs in a virtual environment of its own."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from protocols.did.document import parse_document
from protocols.didcomm import codec_v2, signed_v2
from protocols.didcomm.envelope_v2 import Encryption, SenderKey, pack, recipients_of, unpack
from protocols.didcomm.from_prior import make_from_prior, read_from_prior
from protocols.multiformats import Multicodec
from tests.didcomm.helpers import entropy_from
from tests.didcomm.vectors_v2 import ALICE, BOB, DOCUMENTS, PLAINTEXT, SECRETS, Documents, Keys, signer

HERE = Path(__file__).resolve()
PYTHON = HERE.parents[2] / ".peers" / "sicpa" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="SICPA's didcomm is not here; run scripts/didcomm-peer")

CODECS = {
    "x25519": Multicodec.X25519_PUB,
    "p256": Multicodec.P256_PUB,
    "p384": Multicodec.P384_PUB,
    "p521": Multicodec.P521_PUB,
}
BOTH_HAVE = ["x25519", "p256", "p521"]
TEXT = json.dumps({**PLAINTEXT, "typ": codec_v2.MEDIA_TYPE}).encode()
# Alice as she was, for from_prior: another DID with her signing key.
EARLIER = "did:example:alice-earlier"
EARLIER_RAW = {
    "id": EARLIER,
    "authentication": [{**DOCUMENTS[ALICE].raw["authentication"][0], "id": f"{EARLIER}#key-1", "controller": EARLIER}],
    "keyAgreement": [],
}
EARLIER_SECRET = {**SECRETS[0], "kid": f"{EARLIER}#key-1"}


def their_results(jobs: list[dict[str, Any]]) -> list[Any]:
    raws = [document.raw for document in DOCUMENTS.values()] + [EARLIER_RAW]
    given = {"documents": copy.deepcopy(raws), "secrets": [*SECRETS, EARLIER_SECRET], "jobs": jobs}
    done = subprocess.run(
        [str(PYTHON), "-W", "ignore", str(HERE.with_name("sicpa_peer.py"))],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ.get("PATH", "")},
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result for result in results if "error" in result] == []
    return [result["ok"] for result in results]


def ours(*, codec: str, sender: bool, text: bytes = TEXT, encryption: str = "A256CBC-HS512") -> bytes:
    kid = f"{ALICE}#key-{codec}-1"
    key = Keys(ALICE).find_agreement(kid) if sender else None
    return pack(
        text,
        to=recipients_of(DOCUMENTS[BOB], [CODECS[codec]]),
        sender=None if key is None else SenderKey(kid, key),
        entropy=entropy_from(f"{codec} {sender}"),
        encryption=Encryption(encryption),
    )


def test_they_unpack_what_we_pack() -> None:
    signed = signed_v2.sign(TEXT, signer(f"{ALICE}#key-1"))
    cases: list[tuple[bytes, str | None, str | None]] = [
        *((ours(codec=codec, sender=False, encryption=enc), None, None) for codec in CODECS for enc in Encryption),
        *((ours(codec=codec, sender=True), f"{ALICE}#key-{codec}-1", None) for codec in BOTH_HAVE),
        (ours(codec="x25519", sender=False, text=signed), None, f"{ALICE}#key-1"),
        (ours(codec="p256", sender=True, text=signed), f"{ALICE}#key-p256-1", f"{ALICE}#key-1"),
        (ours(codec="p384", sender=False, text=ours(codec="x25519", sender=True)), f"{ALICE}#key-x25519-1", None),
        *((signed_v2.sign(TEXT, signer(f"{ALICE}#{kid}")), None, f"{ALICE}#{kid}") for kid in ("key-1", "key-2")),
    ]
    results = their_results([{"op": "unpack", "packed": packed.decode()} for packed, _, _ in cases])
    assert [(result["body"], result["sender"], result["signer"]) for result in results] == [
        (PLAINTEXT["body"], sender, by) for _, sender, by in cases
    ]


def test_we_unpack_what_they_pack() -> None:
    message = {name: PLAINTEXT[name] for name in ("id", "type", "from", "to", "body")}
    base = {"op": "encrypt", "message": message}
    jobs: list[dict[str, Any]] = [
        *(base | {"to": f"{BOB}#key-{codec}-1", "encryption": enc.value} for codec in CODECS for enc in Encryption),
        *(base | {"to": BOB, "sender": f"{ALICE}#key-{codec}-1"} for codec in BOTH_HAVE),
        base | {"to": BOB, "sender": ALICE, "hidden": True},
        *(base | {"to": BOB, "signer": f"{ALICE}#{kid}"} for kid in ("key-1", "key-2", "key-3")),
        base | {"to": BOB, "sender": ALICE, "signer": ALICE},
        *({"op": "sign", "message": message, "signer": f"{ALICE}#{kid}"} for kid in ("key-1", "key-2", "key-3")),
    ]
    for job, packed in zip(jobs, their_results(jobs), strict=True):
        result = asyncio.run(unpack(packed.encode(), Keys(BOB), Documents()))
        assert result.message.body == PLAINTEXT["body"]
        assert (result.sender is not None) == ("sender" in job)
        assert (result.signer is not None) == ("signer" in job)


def test_each_reads_the_others_from_prior() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    jwt = make_from_prior(ALICE, signer(f"{ALICE}#key-1", f"{EARLIER}#key-1"), now=now)
    rotating = json.dumps({**PLAINTEXT, "from_prior": jwt}).encode()
    theirs_says = {**PLAINTEXT, "from_prior": {"iss": EARLIER, "sub": ALICE, "iat": 1516269022}}
    jobs = [
        {"op": "unpack", "packed": ours(codec="x25519", sender=True, text=rotating).decode()},
        {"op": "encrypt", "message": theirs_says, "to": BOB, "sender": ALICE},
    ]
    read, packed = their_results(jobs)
    assert read["prior"] == EARLIER
    documents = Documents(parse_document(EARLIER_RAW, EARLIER))
    message = asyncio.run(unpack(packed.encode(), Keys(BOB), documents)).message
    rotation = asyncio.run(read_from_prior(message, documents, now=now))
    assert rotation is not None
    assert (rotation.prior, rotation.new, rotation.issued_at) == (EARLIER, ALICE, 1516269022)

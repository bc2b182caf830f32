"""Pack and unpack one message of 3 kB for one recipient, in each wire version, beside the bare primitives of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from protocols import strict_json
from protocols.did import peer4
from protocols.did.document import DidDocument
from protocols.didcomm import codec_v2, envelope_v1, envelope_v2
from protocols.didcomm.envelope_v2 import Encryption, SenderKey
from protocols.didcomm.message import PlainMessage, Wire
from protocols.jose import read_jwe
from protocols.keys import AgreementKey, AgreementKeyPair, KeyPair
from protocols.multiformats import Multicodec
from scripts.benchmark.envelope_primitives import Pair, anoncrypt_v2, authcrypt_v1, authcrypt_v2
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.raw import SIGN, VERIFY, raw_batches
from scripts.benchmark.timing import Batch, Compared, Plan, compare, each, each_awaited, figure_of, progress, spread

__all__ = ["measure"]

_BYTES = 3000
_HALF = Target(0.5, is_floor=True)
_DIRECTIONS = {"pack": SIGN, "unpack": VERIFY}


@dataclass(frozen=True, slots=True)
class _Envelope:
    """One kind of envelope: both directions of it, and of the bare primitives."""

    pack: Batch
    unpack: Batch
    primitives: Pair


@dataclass(frozen=True, slots=True)
class _Party:
    """One end of a connection of v2: a did:peer:4 in short form, as nodes speak once they know each other."""

    document: DidDocument
    key: SenderKey

    @classmethod
    def fresh(cls) -> _Party:
        pair = KeyPair.from_seed(os.urandom(32))
        uri = "http://localhost/didcomm"
        document = peer4.resolve_short(peer4.create(pair.public, endpoint=uri, v2_uri=uri))
        return cls(document, SenderKey(f"{document.id}#{peer4.AGREEMENT_FRAGMENT}", AgreementKeyPair.of_ed25519(pair)))


@dataclass(frozen=True, slots=True)
class _Known:
    """The keys of a recipient, and the documents that it knows: what the node's keyring and its resolver have."""

    pairs: Mapping[str, KeyPair]
    agreement: Mapping[str, AgreementKey]
    documents: Mapping[str, DidDocument]

    def find(self, verkey: str) -> KeyPair | None:
        return self.pairs.get(verkey)

    def find_agreement(self, kid: str) -> AgreementKey | None:
        return self.agreement.get(kid)

    async def resolve(self, did: str) -> DidDocument:
        return self.documents[did]


def measure(plan: Plan) -> list[Figure]:
    """The figures of envelopes."""
    progress(f"messages: pack and unpack {_BYTES:,} bytes in three kinds of envelopes ...")
    batches = dict(raw_batches())
    with asyncio.Runner() as runner:
        envelopes = {"v1, authcrypt": _v1(), "v2, authcrypt": _v2(runner, anonymous=False)}
        envelopes["v2, anoncrypt"] = _v2(runner, anonymous=True)
        for name, envelope in envelopes.items():
            bare_pack, bare_unpack = envelope.primitives
            batches |= {f"pack.{name}": envelope.pack, f"unpack.{name}": envelope.unpack}
            batches |= {_bare("pack", name): each(bare_pack), _bare("unpack", name): each(bare_unpack)}
        compared = compare(batches, plan)
    both = [(direction, name) for name in envelopes for direction in _DIRECTIONS]
    return [
        *(figure_of(compared, f"{way}.{name}", f"{way} 3 kB, {name}", _DIRECTIONS[way]) for way, name in both),
        *(_over_primitives(compared, way, name) for way, name in both),
    ]


def _bare(direction: str, name: str) -> str:
    return f"{direction}.{name}.primitives"


def _over_primitives(compared: Compared, direction: str, name: str) -> Figure:
    ours, bare = f"{direction}.{name}", _bare(direction, name)
    return Figure(
        name=f"{ours}.over.primitives",
        about=f"{direction} 3 kB, {name}, over its primitives",
        value=compared.ratio(ours, bare),
        unit="times",
        spread=spread(compared.ratios(ours, bare)),
        target=_HALF,
    )


def _v1() -> _Envelope:
    """Aries RFC 0019, Authcrypt."""
    sender, recipient = (KeyPair.from_seed(os.urandom(32)) for _ in range(2))
    known = _Known({recipient.verkey: recipient}, {}, {})
    text = os.urandom(_BYTES // 2).hex().encode()

    def packed() -> bytes:
        return envelope_v1.pack(text, to=[recipient.verkey], sender=sender, entropy=os.urandom)

    envelope = packed()
    _require(envelope_v1.unpack(envelope, known).plaintext == text)
    protected = strict_json.loads_object(envelope)["protected"].encode()
    return _Envelope(
        each(packed), each(lambda: envelope_v1.unpack(envelope, known)), authcrypt_v1(text, protected, sender.verkey)
    )


def _v2(runner: asyncio.Runner, *, anonymous: bool) -> _Envelope:
    """DIDComm 2.1: ECDH-1PU+A256KW with A256CBC-HS512; anonymous, ECDH-ES+A256KW with XC20P."""
    sender, recipient = _Party.fresh(), _Party.fresh()
    documents = {party.document.id: party.document for party in (sender, recipient)}
    known = _Known({}, {recipient.key.kid: recipient.key.key}, documents)
    thid = str(uuid4())
    message = PlainMessage(
        "https://didcomm.org/basicmessage/2.0/message", str(uuid4()), thid, wire=Wire.V2, to=(recipient.document.id,),
        from_=None if anonymous else sender.document.id, body={"content": os.urandom(_BYTES // 2 - 150).hex()},
    )  # fmt: skip
    text = codec_v2.encode(message)
    to = envelope_v2.recipients_of(recipient.document, [Multicodec.X25519_PUB])

    def packed() -> bytes:
        return envelope_v2.pack(
            text,
            to=to,
            sender=None if anonymous else sender.key,
            entropy=os.urandom,
            encryption=Encryption.XC20P if anonymous else Encryption.A256CBC_HS512,
        )

    envelope = packed()
    _require(runner.run(envelope_v2.unpack(envelope, known, known)).message == message)
    jwe = read_jwe(strict_json.loads_object(envelope))
    # RFC 7518 §4.6.2: four lengths and a number of bits; ECDH-1PU takes the tag with them, and its length.
    other_info = bytes(16 + len(jwe.alg) + sum(map(len, jwe.parties)) + (0 if anonymous else 4 + len(jwe.tag)))
    bare = (anoncrypt_v2 if anonymous else authcrypt_v2)(text, jwe.protected.encode(), other_info)
    return _Envelope(each(packed), each_awaited(runner.run, lambda: envelope_v2.unpack(envelope, known, known)), bare)


def _require(same: bool) -> None:
    if not same:
        raise AssertionError("what was unpacked is not what was packed")

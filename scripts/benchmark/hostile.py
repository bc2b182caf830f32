"""How long hostile documents take: the slowest text to read, the slowest graph to refuse, the slowest to verify.

Each is the worst that was found of its kind; none may take long, whatever comes out of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from protocols import strict_json
from protocols.credentials.policy import Policy
from protocols.credentials.verify import verify
from protocols.errors import BadInput
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import canonicalize
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.timing import Plan, progress
from scripts.fuzzing import world

__all__ = ["measure"]

_READING = Target(100.0)
_REFUSING = Target(100.0)
_VERIFYING = Target(2000.0)


def measure(plan: Plan) -> list[Figure]:
    """The worst of each kind, in milliseconds of the processor."""
    progress("Hostile documents ...")
    rounds = max(3, plan.rounds // 5)
    return [
        _worst("hostile.read", "read or refuse any JSON text of 1 MiB", _texts(), _read, rounds, _READING),
        _worst("hostile.poison", "refuse a graph made to be hard", _graphs(), _label, rounds, _REFUSING),
        _worst("hostile.verify", "verify or refuse a hostile document", _documents(), _verify, 3, _VERIFYING),
    ]


def _worst(
    name: str, about: str, inputs: Mapping[str, Any], work: Callable[[Any], None], rounds: int, target: Target
) -> Figure:
    """The input whose fastest round is the slowest: what else the machine does is not counted."""
    found = {what: [_milliseconds(work, given) for _ in range(rounds)] for what, given in inputs.items()}
    worst = max(found, key=lambda what: min(found[what]))
    spread = (min(found[worst]), max(found[worst]))
    return Figure(name, f"{about}; slowest: {worst}", min(found[worst]), "ms", spread, target=target)


def _milliseconds(work: Callable[[Any], None], given: Any) -> float:
    began = time.process_time()
    work(given)
    return (time.process_time() - began) * 1000


def _read(text: bytes) -> None:
    with suppress(BadInput):
        strict_json.loads(text)


def _texts() -> dict[str, bytes]:
    most = strict_json.MAX_BYTES // 12 - 10

    def full_of(unit: bytes, marks: int) -> bytes:
        times = min(most // marks, (strict_json.MAX_BYTES - 2) // (len(unit) + 1))
        return b"[" + b",".join([unit] * times) + b"]"

    return {
        "lists in lists": full_of(b"[" * 63 + b"]" * 63, 64),
        "objects in objects": full_of(b'{"":' * 62 + b"0" + b"}" * 62, 63),
        "objects": full_of(b"{}", 2),
        "long fractions": full_of(b"2.2250738585072011360574097967091319759348195463516456480234261097e-308", 1),
        "fractions": full_of(b"1.5", 1),
        "escapes": full_of(b'"\\ud83d\\ude00\\n"', 1),
        "one escape after another": b'["' + b"\\u0041" * 170_000 + b'"]',
        "keys": b"{" + b",".join(b'"%x":0' % number for number in range(95_000)) + b"}",
        "digits": b"[" + b"9" * (strict_json.MAX_BYTES - 2) + b"]",
        "brackets": b"[" * strict_json.MAX_BYTES,
    }


def _label(quads: set[Quad]) -> None:
    with suppress(BadInput):
        canonicalize(quads)


def _graphs() -> dict[str, set[Quad]]:
    def graph(edges: Any) -> set[Quad]:
        return {(f"_:n{a}", f"<urn:{p}>", f"_:n{b}", "" if g is None else f"_:n{g}") for a, p, b, g in edges}

    size = 100
    coloured = [
        (first, f"p{colour}", second, None)
        for colour in range(size - 1)
        for a, b in [(size - 1, colour), *(((colour + k) % 99, (colour - k) % 99) for k in range(1, size // 2))]
        for first, second in ((a, b), (b, a))
    ]
    return {
        "clique": graph((a, "p", b, None) for a in range(size) for b in range(size) if a != b),
        "clique with colours": graph(coloured),
        "ring": graph((n, "p", (n + 1) % 9999, None) for n in range(9999)),
        "rings": graph((r * 30 + n, "p", r * 30 + (n + 1) % 30, None) for r in range(300) for n in range(30)),
        "wheels": graph((n, f"p{k}", (n + k) % size, None) for n in range(size) for k in range(1, size)),
        "alike": {(f"_:n{n}", "<urn:p>", '"x"', "") for n in range(9999)},
        "stars": graph((s, f"p{n}", 100 + s * 90 + n, None) for s in range(100) for n in range(90)),
        "graphs in a ring": graph((n, "p", (n + 1) % 3000, (n + 2) % 3000) for n in range(3000)),
        "nested graphs": graph((n, "p", n + 1, n + 2) for n in range(3000)),
        "latin square": graph((r, "p", 99 + c, 198 + (r + c) % 99) for r in range(99) for c in range(99)),
        "cube": graph((n, f"p{k}", n ^ (1 << k), None) for n in range(512) for k in range(9)),
    }


def _verify(text: bytes) -> None:
    here = world.World(world.status_lists()[0])
    world.finished(verify(text, resolver=here, statuses=here, policy=Policy(), now=datetime.now(UTC)))


def _documents() -> dict[str, bytes]:
    signed = world.secured()[0]
    proof = signed["proof"]
    chain = [
        {**proof, "id": f"urn:{n}", **({"previousProof": [f"urn:{m}" for m in range(n)]} if n else {})}
        for n in range(16)
    ]
    contexts = ["https://www.w3.org/ns/credentials/v2", {"@vocab": "https://college.example/terms#"}]
    large = {
        "@context": contexts,
        "type": ["VerifiableCredential"],
        "issuer": signed["issuer"]["id"],
        "credentialSubject": {"id": "urn:s", "of": [{"grade": f"{n}"} for n in range(4_800)]},
    }
    rare = {**large, "credentialSubject": {"id": "urn:s", "of": [{"@set": [f"{n}"]} for n in range(4_800)]}}
    ring = [{"id": f"_:n{n}", "of": {"id": f"_:n{(n + 1) % 40}"}} for n in range(40)]
    small = {**large, "credentialSubject": {"id": "urn:s", "of": ring}, "proof": proof}
    presentation = {"@context": contexts[:1], "type": ["VerifiablePresentation"], "proof": proof}
    found = {
        "16 proofs, each on all before": {**large, "proof": chain},
        "16 proofs on the complete path": {**rare, "proof": chain},
        "16 proofs over JSON": {**large, "proof": [{**proof, "cryptosuite": "eddsa-jcs-2022"}] * 16},
        "128 records with rings": {**presentation, "verifiableCredential": [small] * 128},
        "128 records with 4 proofs": {**presentation, "verifiableCredential": [{**signed, "proof": [proof] * 4}] * 128},
        "a long text": {**large, "credentialSubject": {"id": "urn:s", "text": "a\n" * 300_000}, "proof": [proof] * 16},
    }
    return {what: json.dumps(document).encode() for what, document in found.items()}

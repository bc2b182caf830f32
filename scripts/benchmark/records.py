"""Issue and verify the Open Badges 3.0 record, with both cryptosuites, beside plain pyld and beside other programs.

The record is what the demo's college would issue for the first achievement of its catalogue, about a did:key, without
status entries. It is verified as a verifier node does: from JSON text, with every check and the schema of Open Badges,
and also by its proof alone. Its issuer is a did:key, so nothing is asked of any network.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from protocols import strict_json
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.peers import PEERS, Running, running
from scripts.benchmark.raw import SIGN, VERIFY, raw_batches
from scripts.benchmark.subject import JCS, RDFC, SUITES, Subject
from scripts.benchmark.timing import Batch, Compared, Plan, compare, each, each_awaited, figure_of, progress, spread

__all__ = ["measure"]

_OPERATIONS = {"issue": SIGN, "verify": VERIFY}
_PYLD = {"issue": "issue.plain-pyld", "verify": "verify.plain-pyld"}
_FIFTEEN = Target(15.0, is_floor=True)
_OF_SIGN = Target(0.6, is_floor=True)
_OF_VERIFY = Target(0.7, is_floor=True)


def measure(plan: Plan) -> list[Figure]:
    """The figures of records."""
    subject = Subject()
    records = {suite: subject.issue(suite) for suite in SUITES}
    size = len(strict_json.dumps(records[RDFC]))
    with asyncio.Runner() as runner, ExitStack() as stack:
        peers = _start(stack, runner, subject)
        others = ", ".join(["plain pyld", *(peer.peer.about for peer in peers)])
        progress(f"records: issue and verify a record of {size:,} bytes with both suites, and with {others} ...")
        batches = {**raw_batches(), **_batches(subject, records, runner)}
        for peer in peers:
            batches |= {_of_peer(peer, operation): peer.batch(operation) for operation in _OPERATIONS}
        compared = compare(batches, plan)
    return [
        *(_raw(compared, name) for name in (SIGN, VERIFY)),
        *(figure for suite in SUITES for figure in _of_suite(compared, suite)),
        figure_of(compared, _PYLD["issue"], f"issue, {RDFC}, proof alone, plain pyld", SIGN),
        figure_of(compared, _PYLD["verify"], f"verify, {RDFC}, proof alone, plain pyld", VERIFY),
        *(figure for peer in peers for figure in _of_peers(compared, peer)),
        *_targets(compared, peers),
    ]


def _start(stack: ExitStack, runner: asyncio.Runner, subject: Subject) -> list[Running]:
    """The peers that can be had; each has shown that it verifies ours and that we verify its own."""
    found = []
    given = subject.for_peers()
    for peer in PEERS:
        started = stack.enter_context(running(peer, given))
        if started is not None:
            process, record = started
            runner.run(subject.verify(strict_json.dumps(record)))
            process.batch("verify")(1)
            found.append(process)
    return found


def _batches(subject: Subject, records: Mapping[str, dict[str, Any]], runner: asyncio.Runner) -> dict[str, Batch]:
    def issue(suite: str) -> Batch:
        return each(lambda: subject.issue(suite))

    def verify(text: bytes) -> Batch:
        return each_awaited(runner.run, lambda: subject.verify(text))

    def alone(record: dict[str, Any]) -> tuple[Batch, Batch]:
        return each(lambda: subject.prove(record)), each(lambda: subject.verify_proof(record))

    batches: dict[str, Batch] = {}
    for suite, record in records.items():
        batches[f"issue.{suite}"] = issue(suite)
        batches[f"verify.{suite}"] = verify(strict_json.dumps(record))
        batches[f"issue-proof.{suite}"], batches[f"verify-proof.{suite}"] = alone(record)
    batches[_PYLD["issue"]] = each(lambda: subject.prove_with_pyld(records[RDFC]))
    batches[_PYLD["verify"]] = each(lambda: subject.verify_with_pyld(records[RDFC]))
    return batches


def _of_suite(compared: Compared, suite: str) -> list[Figure]:
    return [
        figure_of(compared, f"issue.{suite}", f"issue, {suite}", SIGN),
        figure_of(compared, f"issue-proof.{suite}", f"issue, {suite}, proof alone", SIGN),
        figure_of(compared, f"verify.{suite}", f"verify, {suite}, every check", VERIFY),
        figure_of(compared, f"verify-proof.{suite}", f"verify, {suite}, proof alone", VERIFY),
    ]


def _of_peer(peer: Running, operation: str) -> str:
    return f"{operation}.{RDFC}.{peer.peer.name}"


def _of_peers(compared: Compared, peer: Running) -> list[Figure]:
    return [
        figure_of(
            compared, _of_peer(peer, operation), f"{operation}, {RDFC}, {peer.peer.about}", _OPERATIONS[operation]
        )
        for operation in _OPERATIONS
    ]


def _targets(compared: Compared, peers: Sequence[Running]) -> list[Figure]:
    figures = [
        _over(compared, f"issue.{RDFC}", _PYLD["issue"], "issue, over plain pyld's proof alone", _FIFTEEN),
        _over(compared, f"verify.{RDFC}", _PYLD["verify"], "every check, over plain pyld's proof alone", _FIFTEEN),
        _over(compared, f"verify-proof.{RDFC}", _PYLD["verify"], "proof alone, over plain pyld's", _FIFTEEN),
    ]
    for peer in peers:
        for name, about, theirs in (
            (f"issue.{RDFC}", "issue", "issue"),
            (f"verify.{RDFC}", "every check", "verify"),
            (f"verify-proof.{RDFC}", "proof alone", "verify"),
        ):
            figures.append(_over(compared, name, _of_peer(peer, theirs), f"{about}, over {peer.peer.about}", _FIFTEEN))
    return [
        *figures,
        _over(compared, f"issue-proof.{JCS}", SIGN, f"issue, {JCS}, proof alone, over raw sign", _OF_SIGN),
        _over(compared, f"verify-proof.{JCS}", VERIFY, f"verify, {JCS}, proof alone, over raw verify", _OF_VERIFY),
    ]


def _over(compared: Compared, name: str, baseline: str, about: str, target: Target | None = None) -> Figure:
    ratios = compared.ratios(name, baseline)
    key = f"{name}.over.{baseline.lower().replace(' ', '-')}"
    return Figure(key, about, compared.ratio(name, baseline), "times", spread(ratios), target=target)


def _raw(compared: Compared, name: str) -> Figure:
    rates = compared.rates[name]
    return Figure(name.lower().replace(" ", "."), name, statistics.median(rates), "/s", spread(rates))

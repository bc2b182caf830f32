"""``scripts/interop PEER``: install an agent of others, and walk every exchange with it on this machine."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from protocols.credentials.model import Version
from protocols.errors import LernodeError
from scripts.interop_peers.acapy import AcaPy
from scripts.interop_peers.any_peer import Manner, walk_with_any_peer
from scripts.interop_peers.credo import Credo
from scripts.interop_peers.lernode import Lernode
from scripts.interop_peers.matrix import walk
from scripts.interop_peers.mediation import BehindNode, BehindPeer, walk_mediation
from scripts.interop_peers.peer import MediatedPeer, Peer, PeerMissing
from scripts.interop_peers.report import Run, Step
from scripts.interop_peers.waci import WaciWallet, walk_waci

_FOLDER = Path(__file__).resolve().parents[2] / ".interop"
_PEERS: dict[str, Callable[[], Peer]] = {"acapy": AcaPy, "credo": Credo}
_MEDIATED: dict[str, Callable[[], MediatedPeer]] = {"credo": Credo}
"""Those with Pickup, which mediate for nodes that do not listen, and can be behind a mediator."""
_SKIPPED = 77  # what a test returns that cannot be run here


def main() -> int:
    """0 where every step went well, 1 where one did not, 77 where the peer cannot be had on this machine."""
    arguments = _arguments()
    if arguments.invitation is not None:
        return _with_any_peer(arguments)
    try:
        run = asyncio.run(_run(arguments.peer, arguments.port, quiet=arguments.json))
    except PeerMissing as missing:
        print(f"Not run: {missing}", file=sys.stderr)
        return _SKIPPED
    except TimeoutError:
        print("Not run: the peer did not start in time; its log is in .interop.", file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(f"Not run: {error}", file=sys.stderr)
        return 1
    print(run.to_json_text() if arguments.json else run.table())
    return 0 if run.ok else 1


async def _run(name: str, port: int, *, quiet: bool) -> Run:
    peer = WaciWallet() if name == WaciWallet.key else _PEERS[name]()
    folder = _FOLDER / peer.key
    await peer.install(folder)
    run = Run(f"{peer.name} {peer.version}", (lambda _: None) if quiet else _tell)
    node = _node(folder, "lernode", port, issuer=True)
    try:
        await peer.start(port + 1)
        issuer = await peer.make_did()
        await node.start_as_issuer(issuer, securing=peer.proof_types[0], with_status=peer.takes_status)
        if isinstance(peer, WaciWallet):
            await walk_waci(run, node, peer)
            return run
        await walk(run, node, peer, issuer)
        mediate = _mediate_with_pickup if peer.key in _MEDIATED else _mediate_for_listener
        await mediate(run, folder, node, peer, port + 3)
    finally:
        await asyncio.gather(node.stop(), peer.stop())
    return run


async def _mediate_for_listener(run: Run, folder: Path, college: Lernode, peer: Peer, port: int) -> None:
    """With one more node, to which the peer sends on what it gets for it."""
    learner = _node(folder, "learner", port)
    try:
        await learner.start()
        await walk_mediation(run, BehindPeer(college, learner, peer, has_pickup=False))
    finally:
        await learner.stop()


async def _mediate_with_pickup(run: Run, folder: Path, college: Lernode, peer: Peer, port: int) -> None:
    """With two more nodes, and one more agent of the peer's kind."""
    learner = _node(folder, "learner", 0)
    mediator = _node(folder, "mediator", port, mediator=True)
    wallet = _MEDIATED[peer.key]()
    await wallet.install(folder)
    ways = BehindPeer(college, learner, peer, has_pickup=True), BehindNode(college, wallet, mediator)
    try:
        await asyncio.gather(learner.start(), mediator.start(), wallet.start(0))
        await walk_mediation(run, *ways)
    finally:
        await asyncio.gather(learner.stop(), mediator.stop(), wallet.stop())


def _node(folder: Path, name: str, port: int, *, issuer: bool = False, mediator: bool = False) -> Lernode:
    """One that is made anew when it starts."""
    shutil.rmtree(folder / name, ignore_errors=True)
    return Lernode(folder / name, port, issuer=issuer, mediator=mediator)


def _with_any_peer(arguments: argparse.Namespace) -> int:
    manner = Manner(
        endpoint=arguments.endpoint,
        port=arguments.port,
        seconds=arguments.seconds,
        securing=arguments.securing,
        data_model=Version(arguments.data_model),
        with_status=not arguments.no_status,
    )
    try:
        report = asyncio.run(walk_with_any_peer(arguments.invitation, manner, _instruct, _tell))
    except LernodeError as error:
        print(f"Not run: {error.message} {error.hint}", file=sys.stderr)
        return 1
    page = report.write(arguments.report)
    print(report.to_json_text() if arguments.json else report.run.table())
    print(f"Written: {page} and report.json beside it.", file=sys.stderr)
    return 0 if report.run.ok else 1


def _instruct(text: str) -> None:
    print(f"\nNow: {text}", file=sys.stderr)


def _tell(step: Step) -> None:
    print(f"{step.outcome:>10}  {step.direction}: {step.name}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/interop",
        description="Start an agent of others and a lernode on this machine, and walk every exchange with it.",
        epilog="The peer is installed into .interop, where the logs of both are. Exit code: 0 all went well, "
        "1 a step failed, 77 the peer cannot be had here.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    names = sorted({*_PEERS, WaciWallet.key})
    which.add_argument("peer", nargs="?", choices=names, help="the agent to install and to walk with")
    which.add_argument("--invitation", metavar="URL", help="walk with any peer, from its out-of-band invitation")
    parser.add_argument("--port", type=int, default=8400, help="first of four free ports in a row (default 8400)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")
    any_peer = parser.add_argument_group("with --invitation")
    any_peer.add_argument(
        "--endpoint", metavar="URL", help="where the peer reaches --port; without it, on this machine"
    )
    any_peer.add_argument("--report", type=Path, default=_FOLDER / "report", help="folder for report.json and .html")
    any_peer.add_argument("--seconds", type=float, default=60.0, help="for each step (default 60)")
    any_peer.add_argument("--securing", default="Ed25519Signature2020", help="of what is offered, as issuer.securing")
    any_peer.add_argument("--data-model", choices=("1.1", "2.0"), default="1.1", help="of what is offered")
    any_peer.add_argument("--no-status", action="store_true", help="offer a record that cannot be revoked")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""``scripts/interop PEER``: install an agent of others, and walk every exchange with it on this machine."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.interop_peers.acapy import AcaPy
from scripts.interop_peers.credo import Credo
from scripts.interop_peers.lernode import Lernode
from scripts.interop_peers.matrix import walk
from scripts.interop_peers.peer import Peer, PeerMissing
from scripts.interop_peers.report import Run, Step

_FOLDER = Path(__file__).resolve().parents[2] / ".interop"
_PEERS: dict[str, Callable[[], Peer]] = {"acapy": AcaPy, "credo": Credo}
_SKIPPED = 77  # what a test returns that cannot be run here


def main() -> int:
    """0 where every step went well, 1 where one did not, 77 where the peer cannot be had on this machine."""
    arguments = _arguments()
    peer = _PEERS[arguments.peer]()
    try:
        run = asyncio.run(_run(peer, arguments.port, quiet=arguments.json))
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


async def _run(peer: Peer, port: int, *, quiet: bool) -> Run:
    folder = _FOLDER / peer.key
    await peer.install(folder)
    run = Run(f"{peer.name} {peer.version}", (lambda _: None) if quiet else _tell)
    home = folder / "lernode"
    shutil.rmtree(home, ignore_errors=True)
    node = Lernode(home, port)
    try:
        await peer.start(port + 1)
        issuer = await peer.make_did()
        await node.start(issuer, securing=peer.proof_types[0], with_status=peer.takes_status)
        await walk(run, node, peer, issuer)
    finally:
        await asyncio.gather(node.stop(), peer.stop())
    return run


def _tell(step: Step) -> None:
    print(f"{step.outcome:>10}  {step.direction}: {step.name}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/interop",
        description="Start an agent of others and a lernode on this machine, and walk every exchange with it.",
        epilog="The peer is installed into .interop, where the logs of both are. Exit code: 0 all went well, "
        "1 a step failed, 77 the peer cannot be had here.",
    )
    parser.add_argument("peer", choices=sorted(_PEERS), help="the agent to walk with")
    parser.add_argument("--port", type=int, default=8400, help="first of three free ports in a row (default 8400)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

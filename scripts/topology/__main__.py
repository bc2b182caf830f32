"""The command of ``scripts/replicas``."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from scripts.topology.run import Broken, Plan, Run
from scripts.topology.servers import Missing
from scripts.topology.topology import running
from storage.secrets import Strength


@click.command()
@click.option("--records", type=click.IntRange(6), default=60, show_default=True, help="At least so many.")
@click.option("--strikes", type=click.IntRange(0), default=12, show_default=True, help="Replicas killed or stopped.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which replicas are struck, and asked.")
@click.option("--keep", is_flag=True, help="Keep the folder with stores and logs.")
def main(records: int, strikes: int, seed: int, keep: bool) -> None:
    """Run the topology of docker/compose.yaml as plain processes, and kill replicas while records are issued and shown.

    Three replicas of an issuer on one PostgreSQL, a learner and a verifier on SQLite, and HAProxy with TLS before
    them, configured by docker/haproxy.cfg. In the end exchanges, records, status lists and stores are held against each
    other.
    """
    folder = Path(tempfile.mkdtemp(prefix="lernode-replicas-"))
    folder.chmod(0o755)  # the database's user has to reach its own folder
    began = time.perf_counter()
    try:
        lines = asyncio.run(_run(folder, Plan(records, strikes, min(5, records - 1), seed)))
    except Missing as missing:
        raise SystemExit(f"Skipped: {missing}") from None
    except Broken as broken:
        raise SystemExit(f"Does not hold: {broken}. Stores and logs: {folder}") from None
    lines += [("all of it", f"{time.perf_counter() - began:.0f} s at a load of {os.getloadavg()[0]:.1f}")]
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        print(f"{what:<{width}}  {value}")
    if keep:
        print(f"Stores and logs: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)


async def _run(folder: Path, plan: Plan) -> list[tuple[str, str]]:
    async with running(folder, Strength.MODERATE) as topology:
        return await Run(topology, plan).go()


if __name__ == "__main__":
    main()

"""``scripts/conformance FOLDER...``: run suites against a node and print what they found."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from scripts.benchmark.processes import free_ports
from scripts.w3c_suites.gate import Gate, make_certificate
from scripts.w3c_suites.mocha import Report, run_suite, suite_name
from scripts.w3c_suites.node import NodeUnderTest, Ports
from scripts.w3c_suites.suites import SUITES, local_config


def main() -> int:
    """Run; 1 where a test failed, 2 where a suite could not be run."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a suite with its node_modules")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every test's outcome there too")
    parser.add_argument("--keep", action="store_true", help="keep the node's folder and the suites' output")
    arguments = parser.parse_args()
    folders = [folder.resolve() for folder in arguments.folders]
    try:
        reports = asyncio.run(_run(folders, keep=arguments.keep))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(report) for report in reports], indent=2), encoding="utf-8")
    if len(reports) < len(folders):
        return 2
    return 1 if any(report.failures for report in reports) else 0


async def _run(folders: list[Path], *, keep: bool) -> list[Report]:
    unknown = [name for name in map(suite_name, folders) if name not in SUITES]
    if unknown:
        raise RuntimeError(f"No configuration is known for {', '.join(unknown)}.")
    scratch = Path(tempfile.mkdtemp(prefix="lernode-conformance-"))
    try:
        first = free_ports(4)
        ports = Ports(first, first + 1, first + 2, first + 3)
        certificate, key = make_certificate(scratch)
        gate = Gate(certificate, key)
        node = NodeUnderTest(scratch / "node", ports, certificate)
        try:
            await gate.open(ports.public_tls, ports.public)
            await gate.open(ports.admin_tls, ports.admin)
            await node.start()
            reports = []
            for folder in folders:
                room = scratch / folder.name
                room.mkdir()
                config = local_config(suite_name(folder), f"https://localhost:{ports.admin_tls}", node.dids)
                try:
                    reports.append(await run_suite(folder, config, room))
                except RuntimeError as error:
                    print(f"{folder.name}: {error}", file=sys.stderr)
                    continue
                _show(reports[-1])
            return reports
        finally:
            await node.stop()
            await gate.close()
    finally:
        if keep:
            print(f"Kept: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)


def _show(report: Report) -> None:
    counts = f"{len(report.passed)} passed, {len(report.failures)} failed, {len(report.skipped)} skipped"
    print(f"{report.suite}: {counts}")
    for title, reason in report.failures:
        print(f"  FAILED  {title}\n          {reason}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

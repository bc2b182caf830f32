"""One run of a suite: its configuration in a folder of the run, its tests by its own mocha, its report read."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Report", "run_suite", "suite_name"]

_TIME_LIMIT_SECONDS = 900.0
_CONFIG = """// One suite writes into the options that it sends, and would send them again where they are wrong.
// What it wrote goes along once, and is forgotten.
const config = {config};
for(const implementation of config.implementations) {{
  for(const endpoint of Object.values(implementation).filter(Array.isArray).flat()) {{
    if(endpoint.options) {{
      const own = {{...endpoint.options}};
      endpoint.options.toJSON = function() {{
        const sent = {{...own, ...this}};
        delete sent.toJSON;
        for(const name of Object.keys(this)) {{
          if(name !== 'toJSON' && !(name in own)) {{
            delete this[name];
          }}
        }}
        return sent;
      }};
    }}
  }}
}}
module.exports = config;
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run gave.

    Attributes:
        failures: full title and first line of the reason, of each test that failed.
        passed, skipped: full titles.
    """

    suite: str
    passed: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]


def suite_name(folder: Path) -> str:
    """The name of the suite's package.

    Raises:
        RuntimeError: the folder holds none, or its dependencies are not installed.
    """
    try:
        name = str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError):
        raise RuntimeError(f"{folder} is not the folder of a suite.") from None
    if not (folder / "node_modules" / ".bin" / "mocha").exists():
        raise RuntimeError(f"The dependencies of {name} are not installed; run npm install in its folder.")
    return name


async def run_suite(folder: Path, config: dict[str, Any], scratch: Path) -> Report:
    """Run all tests of a suite.

    Args:
        config: what it is told of the implementation.
        scratch: an empty folder for its configuration and its report.

    Raises:
        RuntimeError: it gave no report, or none in time.
    """
    (scratch / "localConfig.cjs").write_text(_CONFIG.format(config=json.dumps(config, indent=2)), encoding="utf-8")
    output = scratch / "report.json"
    process = await asyncio.create_subprocess_exec(
        str(folder / "node_modules" / ".bin" / "mocha"), "tests/", "--reporter", "json",
        "--reporter-option", f"output={output}", "--timeout", "15000", "--preserve-symlinks",
        cwd=folder, env={**os.environ, "APP_ROOT_PATH": str(scratch)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _TIME_LIMIT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise RuntimeError(f"The suite took more than {_TIME_LIMIT_SECONDS:.0f} seconds.") from None
    (scratch / "output.log").write_bytes(said)
    if not output.exists():
        raise RuntimeError(f"The suite gave no report:\n{said.decode(errors='replace')[-2000:]}")
    report = json.loads(output.read_text(encoding="utf-8"))
    return Report(
        suite=suite_name(folder),
        passed=tuple(test["fullTitle"] for test in report["passes"]),
        failures=tuple((test["fullTitle"], _first_line(test)) for test in report["failures"]),
        skipped=tuple(test["fullTitle"] for test in report["pending"]),
    )


def _first_line(test: dict[str, Any]) -> str:
    return str(test.get("err", {}).get("message", "")).partition("\n")[0]

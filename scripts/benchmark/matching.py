"""A match of a portfolio of 10,000 records with an occupation's 60 skills, over the admin socket of a node that runs.

Each record attests three of 400 skills, so that every requirement has many records. Nothing is verified for the match
(``check: false``); what the whole answer costs, verification of those that decide included, stands beside it.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from node.app import Node, create
from node.config import load, to_toml
from node.roles.profiles import Asked
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.timing import Plan, progress, spread
from storage import credentials
from storage.credentials import HeldCredential, IssuedState
from storage.record_skills import Reached
from storage.record_terms import Skill
from storage.secrets import Strength

__all__ = ["measure"]

_RECORDS = 10_000
_SKILLS = 400
_WANTED = 60
_MILLISECONDS = Target(50.0)
_SECRET = "correct horse battery staple"


def measure(plan: Plan) -> list[Figure]:
    """The figures of matches."""
    del plan
    progress(f"match: a portfolio of {_RECORDS:,} records ...")
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        return asyncio.run(_measure(Path(folder, "learner")))


async def _measure(home: Path) -> list[Figure]:
    values = {"node": {"label": "Learner", "listen_port": 0, "endpoint": "http://localhost:1"}}
    await create(home, _SECRET, to_toml(values), strength=Strength.INTERACTIVE)
    node = await Node.open(home, _SECRET, config=load(home))
    try:
        await _fill(node)
        wanted = [Asked(skill=_url(number)) for number in range(_WANTED)]
        profile = await node.profiles.add("job", skills=wanted)
        times = []
        for _ in range(21):
            begun = perf_counter()
            matched = await node.matching.own(profile, check=False)
            times.append(1000 * (perf_counter() - begun))
        if sum(line.outcome.value == "met" for line in matched.report.lines) != _WANTED:
            raise RuntimeError("The portfolio does not meet the profile.")
    finally:
        await node.stop()
    about = f"match {_RECORDS:,} records with {_WANTED} skills"
    return [Figure("match.portfolio", about, statistics.median(times), "ms", spread(times), target=_MILLISECONDS)]


async def _fill(node: Node) -> None:
    chance = random.Random(1)
    now = datetime.now(UTC)
    document = os.urandom(2_000)
    for start in range(0, _RECORDS, 500):
        async with node.store.write() as tx:
            for number in range(start, start + 500):
                skills = tuple(_skill(each) for each in chance.sample(range(_SKILLS), 3))
                record = HeldCredential(
                    id=f"{number:032}",
                    exchange_id=None,
                    document=document,
                    credential_id=f"urn:record:{number}",
                    issuer="did:web:college.example",
                    subject=None,
                    types=("OpenBadgeCredential",),
                    name=f"Record {number}",
                    valid_from=now,
                    valid_until=None,
                    stored_at=now,
                    skills=skills,
                    state=IssuedState.ACTIVE,
                    state_at=now,
                )
                grade = Reached(name="Grade", value=chance.choice("CBA"), steps=("C", "B", "A"))
                await credentials.add_held(tx, record, reached=dict.fromkeys(skills, (grade,)))


def _skill(number: int) -> Skill:
    return Skill(code=f"S.{number}", name=f"Skill number {number}", framework="Bench", url=_url(number))


def _url(number: int) -> str:
    return f"https://skills.example/{number}"

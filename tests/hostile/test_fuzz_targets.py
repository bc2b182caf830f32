"""The targets of ``scripts/fuzz`` on the same inputs in every run: seeds, changed seeds, and what was found once."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.fuzzing.mutation import mutate_compact, mutate_json
from scripts.fuzzing.targets import TARGETS

FOUND = Path(__file__).with_name("found")
MOST_BYTES = 20_000
CHANGED = 40


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_and_what_becomes_of_them(name: str) -> None:
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        target.run(seed)
        target.run(seed[:-1])
        for change in range(CHANGED if target.mutate is not None else 0):
            assert target.mutate is not None
            changed = target.mutate(seed, MOST_BYTES, 1000 * number + change)
            if changed is not None:
                target.run(changed)


@pytest.mark.parametrize("finding", sorted(FOUND.iterdir()), ids=lambda path: path.name)
def test_what_fuzzing_once_found_is_no_finding_any_more(finding: Path) -> None:
    TARGETS[finding.name.partition(".")[0]].run(finding.read_bytes())


@pytest.mark.parametrize("seed", range(60))
def test_a_mutation_is_json_or_none_and_the_same_for_the_same_seed(seed: int) -> None:
    document = b'{"a":[1,"x",{"id":"urn:x"}],"type":"T"}'
    changed = mutate_json(document, 2000, seed)
    assert changed == mutate_json(document, 2000, seed)
    assert changed is None or len(changed) <= 2000


def test_mutations_differ_and_leave_what_is_no_json_alone() -> None:
    assert len({mutate_json(b'{"a":[1,2]}', 5000, seed) for seed in range(50)}) > 20
    assert mutate_json(b"{", 100, 1) is None
    assert len({mutate_compact(b"eyJhIjoxfQ.eyJiIjoxfQ.AA~", 5000, seed) for seed in range(50)}) > 20

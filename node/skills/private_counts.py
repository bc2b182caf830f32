"""Counts of learners with differential privacy: what bounds a learner's weight, the noise, and how sure a count is.

The promise (pure epsilon-differential privacy, Dwork and others 2006): whether any one learner is among those counted
or not, with all records about that learner, makes no answer more than e^epsilon times as likely. It holds because a
learner is counted for at most ``most`` skills, so that adding or leaving out one learner changes the counts by ``most``
in all, and because each count gets noise of the discrete Laplace distribution with scale ``most`` / epsilon. The noise
is OpenDP's (``lernode[aggregates]``), which draws it exactly from the system's randomness, without the flaws that
floating-point noise has; its own privacy map is asked whether the scale is enough.

A count is told only from a threshold on. As that is held against the count with noise, it costs no privacy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from node.skills.cohort import Learner
from protocols.errors import NotNow

__all__ = ["CONFIDENCE", "BoundedCounts", "error_bound", "is_available", "require_available", "with_noise"]

CONFIDENCE: Final = 0.95
"""How often what is told of accuracy holds, at least."""


class BoundedCounts:
    """How many learners have which of some skills, each learner counted for at most ``most`` of them.

    Who has more is counted for some of them, drawn by a keyed hash of the learner: always the same, known to nobody.
    """

    def __init__(self, skills: Sequence[str], most: int) -> None:
        self._counts = dict.fromkeys(skills, 0)
        self._most = most

    def add(self, learner: Learner) -> None:
        """Count a learner; call it once for each."""
        names = {name for skill in learner.skills.values() for name in (skill.url, skill.code) if name is not None}
        has = sorted(names & self._counts.keys())
        if len(has) > self._most:
            has.sort(key=lambda name: hashlib.sha256(learner.place + name.encode()).digest())
        for name in has[: self._most]:
            self._counts[name] += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """The exact counts; nobody is told them."""
        return self._counts


def is_available() -> bool:
    """Whether the library that makes the noise is installed."""
    return find_spec("opendp") is not None


def require_available() -> None:
    """Check that it is.

    Raises:
        NotNow: ``cohort.unavailable``.
    """
    if not is_available():
        raise NotNow(
            "cohort.unavailable",
            "The library for differential privacy is not installed.",
            "Install it with: pip install 'lernode[aggregates]'",
        )


def with_noise(counts: Sequence[int], *, epsilon: int, most: int) -> list[int]:
    """The counts with noise; each call draws anew, and costs ``epsilon`` thousandths.

    Raises:
        NotNow: ``cohort.unavailable``.
    """
    require_available()
    # Imported here: 0.3 s and 35 MiB that only a node which answers needs.
    from opendp.domains import atom_domain, vector_domain  # noqa: PLC0415
    from opendp.measurements import make_laplace  # noqa: PLC0415
    from opendp.metrics import l1_distance  # noqa: PLC0415
    from opendp.mod import enable_features  # noqa: PLC0415

    enable_features("contrib")
    domain, metric = vector_domain(atom_domain(T="i64"), size=len(counts)), l1_distance(T="i64")
    limit = epsilon / 1000
    scale = most / limit
    noise = make_laplace(domain, metric, scale=scale)
    while noise.map(most) > limit:  # type: ignore[no-untyped-call]  # by a rounding of the division
        scale = math.nextafter(scale, math.inf)
        noise = make_laplace(domain, metric, scale=scale)
    drawn: list[int] = noise(list(counts))
    return drawn


def error_bound(epsilon: int, most: int, *, share: int = 1) -> int:
    """How far a count with noise is from the exact one at most, with a probability of :data:`CONFIDENCE`.

    Args:
        share: how many such bounds shall hold together: each may fail that many times less often (Bonferroni), so that
            their sum bounds the error of a sum, whichever of the counts are in it.
    """
    # P(|X| > t) = 2 p^(t+1) / (1 + p) for the discrete Laplace distribution with p = e^(-1/scale).
    rate = epsilon / (1000 * most)
    p = math.exp(-rate)
    may_fail = (1 - CONFIDENCE) / share
    return max(0, math.ceil(-math.log(may_fail * (1 + p) / 2) / rate - 1))

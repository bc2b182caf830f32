"""RDF Dataset Canonicalization (RDFC-1.0) with a work bound.

Where every blank node has a first-degree hash of its own, which is so for nearly all credentials, the
canonical labels follow from those hashes alone; where some share one, their surroundings are hashed too. That
part is exponential for crafted graphs (§7.1), so its steps are counted and a graph that needs too many is
refused. It stands here, and not in a library, for that count, for SHA-384, and because the native library at
hand (pyoxigraph 0.5) orders alike blank nodes in named graphs otherwise than the W3C's algorithm does.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Literal as OneOf

from protocols.errors import BadInput
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.work import MAX_CHARS, MAX_QUADS, Work, too_complex

__all__ = ["Hash", "canonical_labels", "canonicalize", "sorted_nquads"]

Hash = OneOf["sha256", "sha384"]
_ALGORITHMS = {"sha256": hashlib.sha256, "sha384": hashlib.sha384}


def canonicalize(quads: set[Quad], hash: Hash = "sha256", work: Work | None = None) -> str:  # noqa: A002 - the specification's word
    """The canonical N-Quads of a dataset: labelled, sorted by code point, one line a quad (RDFC-1.0 §4.4).

    Args:
        work: what may be done; without, as much as for any one document.

    Raises:
        BadInput: ``jsonld.too_complex`` where there are more than MAX_QUADS quads, or the blank nodes take more
            than the work that may be done to tell apart; ``jsonld.string_malformed`` for a lone surrogate.
    """
    return "".join(sorted_nquads(quads, canonical_labels(quads, hash, work)))


def canonical_labels(quads: set[Quad], hash: Hash = "sha256", work: Work | None = None) -> dict[str, str]:  # noqa: A002
    """The issued identifiers map: each blank node's label in ``quads`` to its canonical one (RDFC-1.0 §4.4.3 step 7).

    Labels are written as in quads: ``{"_:b1": "_:c14n0"}``.

    Raises:
        BadInput: as :func:`canonicalize`.
    """
    if len(quads) > MAX_QUADS:
        raise too_complex(f"more than {MAX_QUADS} statements")
    if sum(len(s) + len(p) + len(o) + len(g) for s, p, o, g in quads) > MAX_CHARS:
        raise too_complex("statements that are too long")
    work = work or Work()
    work.quads(len(quads))
    try:
        return _labels(_mentions(quads), hash, work)
    except UnicodeEncodeError:
        raise _malformed() from None
    except RecursionError:
        raise too_complex("blank nodes in too long a chain") from None


def sorted_nquads(quads: Iterable[Quad], labels: Mapping[str, str]) -> list[str]:
    """The lines of a dataset in canonical form (RDFC-1.0 §5), sorted by code point, each with its line end.

    Args:
        labels: what to write in place of blank node labels; those that it does not name stay as they are.

    Raises:
        BadInput: ``jsonld.string_malformed`` for a lone surrogate.
    """
    get = labels.get
    lines = [
        f"{get(s, s)} {p} {get(o, o)} {get(g, g)} .\n" if g else f"{get(s, s)} {p} {get(o, o)} .\n"
        for s, p, o, g in quads
    ]
    lines.sort()
    try:
        "".join(lines).encode()  # they will be hashed: better refused here than there
    except UnicodeEncodeError:
        raise _malformed() from None
    return lines


def _labels(mentions: dict[str, list[Quad]], algorithm: Hash, work: Work) -> dict[str, str]:
    """The canonical label of each blank node."""
    if len(mentions) <= 1:  # such as those of a proof's options
        return dict.fromkeys(mentions, "_:c14n0")
    hashes = {label: _first_degree(label, about, algorithm) for label, about in mentions.items()}
    if len(set(hashes.values())) == len(hashes):
        order = sorted(hashes, key=hashes.__getitem__)
    else:
        order = _Labelling(mentions, hashes, algorithm, work).order()
    return {label: f"_:c14n{number}" for number, label in enumerate(order)}


def _mentions(quads: Iterable[Quad]) -> dict[str, list[Quad]]:
    """The quads in which each blank node takes part, each quad once."""
    mentions: defaultdict[str, list[Quad]] = defaultdict(list)
    for quad in quads:
        subject, _, target, graph = quad
        if subject[0] == "_":
            mentions[subject].append(quad)
        if target[0] == "_" and target != subject:
            mentions[target].append(quad)
        if graph and graph[0] == "_" and graph not in (subject, target):
            mentions[graph].append(quad)
    return mentions


def _first_degree(label: str, quads: list[Quad], algorithm: Hash) -> str:
    """Hash First Degree Quads, RDFC-1.0 §4.6."""
    lines = []
    for subject, predicate, target, graph in quads:
        if subject[0] == "_":
            subject = "_:a" if subject == label else "_:z"  # noqa: PLW2901
        if target[0] == "_":
            target = "_:a" if target == label else "_:z"  # noqa: PLW2901
        if not graph:
            lines.append(f"{subject} {predicate} {target} .\n")
            continue
        if graph[0] == "_":
            graph = "_:a" if graph == label else "_:z"  # noqa: PLW2901
        lines.append(f"{subject} {predicate} {target} {graph} .\n")
    lines.sort()
    return _digest("".join(lines), algorithm)


class _Labelling:
    """Orders the blank nodes of a dataset in which some share a first-degree hash (RDFC-1.0 §4.4.3 steps 4, 5)."""

    def __init__(self, mentions: dict[str, list[Quad]], hashes: dict[str, str], algorithm: Hash, work: Work) -> None:
        self._mentions = mentions
        self._hashes = hashes
        self._algorithm = algorithm
        self._canonical: dict[str, str] = {}
        self._weights: dict[str, int] = {}
        self._work = work

    def order(self) -> list[str]:
        """The blank nodes in the order of their canonical labels."""
        by_hash: defaultdict[str, list[str]] = defaultdict(list)
        for label, digest in self._hashes.items():
            by_hash[digest].append(label)
        groups = [labels for _, labels in sorted(by_hash.items())]
        for labels in groups:
            if len(labels) == 1:
                _issue(self._canonical, labels[0], "_:c14n")
        for labels in groups:
            found = []
            for label in labels:
                if label not in self._canonical:
                    issued: dict[str, str] = {}
                    _issue(issued, label, "_:b")
                    found.append(self._n_degree(label, issued))
            for _, issued in sorted(found, key=lambda result: result[0]):
                for label in issued:
                    _issue(self._canonical, label, "_:c14n")
        return list(self._canonical)

    def _n_degree(self, label: str, issued: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Hash N-Degree Quads (§4.8); the labels issued on the way are those of the path that was chosen."""
        self._work.effort(self._weight(label))
        data: list[str] = []
        for digest, related in sorted(self._related(label, issued).items()):
            path, issued = self._best_path(related, issued)
            data += digest, path
        return _digest("".join(data), self._algorithm), issued

    def _best_path(self, related: list[str], issued: dict[str, str]) -> tuple[str, dict[str, str]]:
        best: tuple[str, dict[str, str]] | None = None
        for order in permutations(related):
            path = self._path(order, dict(issued), None if best is None else best[0])
            if path is not None and (best is None or path[0] < best[0]):
                best = path
        assert best is not None  # the first order is never abandoned, and none is of no length
        return best

    def _path(
        self, order: Sequence[str], issued: dict[str, str], best: str | None
    ) -> tuple[str, dict[str, str]] | None:
        """The path along the related blank nodes in one order; None where it cannot be the least (§4.8.3 step 5.4)."""
        self._work.effort(2 * len(order) + len(issued) // 32)
        path = ""
        unvisited = []
        for label in order:
            if label in self._canonical:
                path += self._canonical[label]
                continue
            if label not in issued:
                unvisited.append(label)
            path += _issue(issued, label, "_:b")
            if _exceeds(path, best):
                return None
        for label in unvisited:
            digest, issued = self._n_degree(label, issued)
            path += f"{issued[label]}<{digest}>"
            if _exceeds(path, best):
                return None
        return path, issued

    def _weight(self, label: str) -> int:
        """About how many microseconds it takes to hash a blank node with those beside it."""
        weight = self._weights.get(label)
        if weight is None:
            beside = _neighbours(label, self._mentions[label])
            weight = self._weights[label] = 8 + sum(2 + len(predicate) // 256 for _, predicate, _ in beside)
        return weight

    def _related(self, label: str, issued: dict[str, str]) -> dict[str, list[str]]:
        """The blank nodes beside one, by their Hash Related Blank Node (§4.7)."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for position, predicate, other in _neighbours(label, self._mentions[label]):
            name = self._canonical.get(other) or issued.get(other) or self._hashes[other]
            groups[_digest(position + predicate + name, self._algorithm)].append(other)
        return groups


def _neighbours(label: str, quads: list[Quad]) -> Iterator[tuple[str, str, str]]:
    for subject, predicate, target, graph in quads:
        if subject[0] == "_" and subject != label:
            yield "s", predicate, subject
        if target[0] == "_" and target != label:
            yield "o", predicate, target
        if graph and graph[0] == "_" and graph != label:
            yield "g", "", graph


def _issue(issued: dict[str, str], label: str, prefix: str) -> str:
    """Issue Identifier, RDFC-1.0 §4.5."""
    known = issued.get(label)
    if known is None:
        known = issued[label] = f"{prefix}{len(issued)}"
    return known


def _exceeds(path: str, best: str | None) -> bool:
    return best is not None and len(path) >= len(best) and path > best


def _digest(text: str, algorithm: Hash) -> str:
    return _ALGORITHMS[algorithm](text.encode()).hexdigest()


def _malformed() -> BadInput:
    return BadInput("jsonld.string_malformed", "A string has a lone surrogate.", "Use valid Unicode.")

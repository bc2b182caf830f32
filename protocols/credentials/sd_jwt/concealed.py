"""Making claims disclosable: each in a disclosure of its own, and its digest in its place (RFC 9901 §4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from protocols import strict_json
from protocols.credentials.sd_jwt.text import MAX_DISCLOSURES, digest_of, malformed
from protocols.errors import BadInput
from protocols.json_pointer import parse_pointer, step_into
from protocols.multiformats import b64url_encode

__all__ = ["conceal"]

_HASH = "sha-256"
_SALT_BYTES = 16
_MAX_DECOYS = 64
_RESERVED = frozenset({"_sd", "_sd_alg", "..."})


def conceal(
    claims: dict[str, Any], pointers: Sequence[str], *, decoys: int, entropy: Callable[[int], bytes]
) -> tuple[dict[str, Any], list[str]]:
    """The claims with digests in the place of what the pointers name, and the disclosures, the innermost first.

    Where one pointer leads into what another names, the outer disclosure holds the digest of the inner one.

    Args:
        decoys: how many digests of nothing are added to each object that has digests; those in arrays would be told
            by their place.
        entropy: gives so many random bytes.

    Raises:
        BadInput: ``pointer.*``; ``sd_jwt.malformed`` where a claim has a reserved name, or there are too many.
    """
    if len(pointers) > MAX_DISCLOSURES or not 0 <= decoys <= _MAX_DECOYS:
        raise malformed(f"it has more than {MAX_DISCLOSURES} disclosures, or more than {_MAX_DECOYS} decoys")
    result: dict[str, Any] = strict_json.loads_object(strict_json.dumps(claims))
    if any(name in _RESERVED for name in _names(result)):
        raise malformed("a claim has a reserved name")
    run = _Run(decoys, entropy)
    ordered = sorted({parse_pointer(pointer) for pointer in pointers}, key=lambda steps: (-len(steps), steps))
    disclosures = [run.conceal(result, steps) for steps in ordered]
    run.finish(result)
    return {**result, "_sd_alg": _HASH} if disclosures else result, disclosures


class _Run:
    def __init__(self, decoys: int, entropy: Callable[[int], bytes]) -> None:
        self._decoys = decoys
        self._entropy = entropy

    def conceal(self, claims: dict[str, Any], steps: tuple[str, ...]) -> str:
        """Replace what the steps lead to with its digest, and give its disclosure."""
        if not steps:
            raise BadInput("pointer.nothing_there", "A pointer names the whole document.", "Name a part of it.")
        container: Any = claims
        for step in steps[:-1]:
            container = step_into(container, step)
        last = steps[-1]
        value = step_into(container, last)
        self.finish(value)
        salt = b64url_encode(self._entropy(_SALT_BYTES))
        content = [salt, last, value] if isinstance(container, dict) else [salt, value]
        disclosure = b64url_encode(strict_json.dumps(content))
        digest = digest_of(disclosure, _HASH)
        if isinstance(container, dict):
            del container[last]
            container.setdefault("_sd", []).append(digest)
        else:
            container[int(last)] = {"...": digest}
        return disclosure

    def finish(self, value: Any) -> None:
        """Add decoys to the digests of what is about to be sealed, and hide their order."""
        for thing in _objects(value):
            if "_sd" in thing:
                thing["_sd"] += [digest_of(b64url_encode(self._entropy(32)), _HASH) for _ in range(self._decoys)]
                thing["_sd"].sort()


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _names(value: Any) -> Iterator[str]:
    for thing in _objects(value):
        yield from thing

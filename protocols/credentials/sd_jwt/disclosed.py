"""From the issuer's claims and the disclosures that came along to what is disclosed (RFC 9901 §7.1, steps 3 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocols.credentials.sd_jwt.text import Disclosure, SdJwt, digest_of, malformed
from protocols.strict_json import MAX_DEPTH

__all__ = ["Disclosed", "disclose"]

_RESERVED = ("_sd", "...")


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What an SD-JWT says with its disclosures.

    Attributes:
        claims: the processed payload.
        places: for each disclosure in its order, the steps to its value in ``claims``.
        is_selective: whether there is a digest anywhere, be it of what is disclosed, of what is not, or of nothing.
    """

    claims: dict[str, Any]
    places: tuple[tuple[str, ...], ...]
    is_selective: bool


def disclose(sd_jwt: SdJwt) -> Disclosed:
    """Put the disclosures in the places of their digests.

    Raises:
        BadInput: ``sd_jwt.malformed`` where a digest stands twice, nothing refers to a disclosure, or a disclosure
            may not stand where its digest does.
    """
    run = _Run(sd_jwt.disclosures, sd_jwt.hash_name)
    claims = {name: value for name, value in sd_jwt.jwt.claims.items() if name != "_sd_alg"}
    processed = run.of_object(claims, ())
    if None in run.places:
        raise malformed("nothing refers to one of its disclosures")
    return Disclosed(processed, tuple(place for place in run.places if place is not None), run.found_digests)


class _Run:
    """One pass over the claims, and over what the disclosures found on the way add to them."""

    def __init__(self, disclosures: Sequence[Disclosure], hash_name: str) -> None:
        self._disclosures = disclosures
        self._by_digest = {digest_of(item.text, hash_name): number for number, item in enumerate(disclosures)}
        if len(self._by_digest) != len(disclosures):
            raise malformed("a disclosure stands twice")
        self._seen: set[str] = set()
        self.places: list[tuple[str, ...] | None] = [None] * len(disclosures)

    @property
    def found_digests(self) -> bool:
        return bool(self._seen)

    def of_object(self, value: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
        digests = value.get("_sd", [])
        if not isinstance(digests, list) or not all(isinstance(item, str) for item in digests):
            raise malformed("an _sd is not a list of digests")
        if "..." in value or "_sd_alg" in value:
            raise malformed("a reserved claim stands where it may not")
        result = {name: self._of(item, (*place, name)) for name, item in value.items() if name != "_sd"}
        for digest in digests:
            found = self._find(digest)
            if found is None:
                continue
            disclosure = self._disclosures[found]
            if disclosure.name is None or disclosure.name in _RESERVED or disclosure.name in result:
                raise malformed("a disclosure has no name, a reserved one, or one that is there already")
            result[disclosure.name] = self._reveal(found, (*place, disclosure.name))
        return result

    def _of_list(self, value: list[Any], place: tuple[str, ...]) -> list[Any]:
        result: list[Any] = []
        for item in value:
            here = (*place, str(len(result)))
            if not isinstance(item, dict) or "..." not in item:
                result.append(self._of(item, here))
                continue
            digest = item["..."]
            if len(item) != 1 or not isinstance(digest, str):
                raise malformed("an element of an array is not a digest alone")
            found = self._find(digest)
            if found is None:
                continue
            if self._disclosures[found].name is not None:
                raise malformed("a disclosure for an element of an array has a name")
            result.append(self._reveal(found, here))
        return result

    def _of(self, value: Any, place: tuple[str, ...]) -> Any:
        if len(place) > MAX_DEPTH:
            raise malformed(f"it nests deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            return self.of_object(value, place)
        return self._of_list(value, place) if isinstance(value, list) else value

    def _find(self, digest: str) -> int | None:
        if digest in self._seen:
            raise malformed("a digest stands twice")
        self._seen.add(digest)
        return self._by_digest.get(digest)

    def _reveal(self, number: int, place: tuple[str, ...]) -> Any:
        self.places[number] = place
        return self._of(self._disclosures[number].value, place)

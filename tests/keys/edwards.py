"""The curve of Ed25519 (RFC 8032 §5.1) in plain numbers, to make the points and signatures that no signer would."""

from __future__ import annotations

import hashlib
from functools import cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
D = -121665 * pow(121666, -1, P) % P
I = pow(2, (P - 1) // 4, P)  # noqa: E741 - the square root of -1, as the RFC calls it

Point = tuple[int, int]
ZERO: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def times(number: int, point: Point) -> Point:
    total = ZERO
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def with_y(y: int, *, odd: bool = False) -> Point | None:
    """The point of that y whose x is odd, or even; None where there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * I % P
    if x * x % P != square:
        return None
    return (P - x if x & 1 != odd else x) % P, y


def encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base() -> Point:
    found = with_y(4 * pow(5, -1, P) % P)
    assert found is not None
    return found


BASE = _base()


@cache
def small_order() -> tuple[Point, ...]:
    """The eight points whose order divides the cofactor."""
    y = 2
    while True:
        point = with_y(y)
        torsion = ZERO if point is None else times(L, point)
        if times(4, torsion) != ZERO:
            return tuple(times(n, torsion) for n in range(8))
        y += 1


def other_encodings(point: Point) -> list[bytes]:
    """What a lenient decoder reads as the point, though it is not how the point is encoded (RFC 8032 §5.1.3)."""
    x, y = point
    found = []
    for other_y in (y, y + P):
        for sign in {x & 1} if x else {0, 1}:
            if other_y < 2**255:
                found.append((other_y | sign << 255).to_bytes(32, "little"))
    return [encoded for encoded in found if encoded != encode(point)]


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    """The hash in the equation that verification checks (RFC 8032 §5.1.7), as a number."""
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def signature(r: bytes, s: int) -> bytes:
    return r + s.to_bytes(32, "little")


def holds(a: Point, r: Point, r_bytes: bytes, a_bytes: bytes, s: int, message: bytes) -> bool:
    """Whether the equation without the cofactor holds, whatever else is wrong."""
    return times(s % L, BASE) == add(r, times(challenge(r_bytes, a_bytes, message), a))

"""Mutations that keep JSON JSON and a JWT a JWT: what is changed is the structure, so that it gets past the parser.

A mutation is made of a seed, so that it can be made again.
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable
from random import Random
from typing import Any

from scripts.fuzzing.words import KEYS, VALUES

__all__ = ["Mutator", "mutate_compact", "mutate_json", "mutate_secured"]

Mutator = Callable[[bytes, int, int], bytes | None]
"""Changes data, within a greatest length, by a seed; gives ``None`` where the data are not of its kind."""

_MOST_CHANGES = 4
_REPEATS = (2, 3, 17, 70, 200)


def mutate_json(data: bytes, max_size: int, seed: int) -> bytes | None:
    """The JSON text ``data`` with up to four changes, or ``None`` where it is no JSON or becomes too long."""
    try:
        holder = [json.loads(data)]
    except (ValueError, RecursionError):
        return None
    random = Random(seed)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        places = _places(holder)
        container, key = random.choice(places)
        _CHANGES[random.randrange(len(_CHANGES))](random, container, key, places)
    try:
        # A lone surrogate is written as an escape, which is the only way for it to get into a text.
        changed = json.dumps(holder[0], ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None
    return changed if len(changed) <= max_size else None


def mutate_compact(data: bytes, max_size: int, seed: int) -> bytes | None:
    """A compact JWT, perhaps with disclosures, one part of which is changed as JSON where it is JSON."""
    random = Random(seed)
    parts = re.split(rb"([.~])", data)
    place = random.randrange(0, len(parts), 2)
    part = parts[place]
    try:
        decoded = base64.urlsafe_b64decode(part + b"==")
    except ValueError:
        return None
    changed = mutate_json(decoded, max_size, seed)
    if changed is None:
        parts[place] = random.choice(
            (b"", part[:-1], part + b"A", part + b"=", part[::-1], parts[-1], part + b"." + part)
        )
    else:
        parts[place] = base64.urlsafe_b64encode(changed).rstrip(b"=")
    whole = b"".join(parts)
    return whole if len(whole) <= max_size else None


def mutate_secured(data: bytes, max_size: int, seed: int) -> bytes | None:
    """A secured document in whichever of the two forms it is."""
    return mutate_json(data, max_size, seed) if data.startswith(b"{") else mutate_compact(data, max_size, seed)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indices."""
    found: list[tuple[Any, Any]] = []
    rest = [value]
    while rest:
        container = rest.pop()
        for key, member in list(container.items() if isinstance(container, dict) else enumerate(container)):
            found.append((container, key))
            if isinstance(member, dict | list):
                rest.append(member)
    return found


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _other_value(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    container[key] = _copied(random.choice(VALUES))


def _value_from_elsewhere(random: Random, container: Any, key: Any, places: list[Any]) -> None:
    other, name = random.choice(places)
    container[key] = _copied(other[name])


def _removed(_random: Random, container: Any, key: Any, places: list[Any]) -> None:
    if container is not places[0][0]:
        del container[key]


def _renamed(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    if isinstance(container, dict):
        container[random.choice(KEYS)] = container.pop(key)


def _added(random: Random, container: Any, _key: Any, places: list[Any]) -> None:
    other, name = random.choice(places)
    value = _copied(other[name] if random.random() < 0.5 else random.choice(VALUES))
    if isinstance(container, dict):
        container[random.choice(KEYS)] = value
    else:
        container.insert(random.randint(0, len(container)), value)


def _wrapped(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    container[key] = [container[key]] if random.random() < 0.5 else {random.choice(KEYS): container[key]}


def _repeated(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    times = random.choice(_REPEATS)
    member = container[key]
    if isinstance(member, str):
        container[key] = (member * times)[:20_000]
    elif len(json.dumps(member)) * times < 20_000:
        container[key] = [_copied(member) for _ in range(times)]


def _deepened(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    name = random.choice(KEYS)
    for _ in range(random.choice(_REPEATS)):
        container[key] = {name: container[key]}


def _text_edited(random: Random, container: Any, key: Any, _places: list[Any]) -> None:
    text = container[key]
    if not isinstance(text, str):
        return
    start, end = sorted((random.randint(0, len(text)), random.randint(0, len(text))))
    middle = random.choice(
        ("", random.choice(string.printable), random.choice(KEYS), text[start:end] * 2, chr(random.randint(0, 0x2FFF)))
    )
    container[key] = text[:start] + middle + text[end if random.random() < 0.3 else start + 1 :]


_CHANGES = (
    _other_value, _value_from_elsewhere, _removed, _renamed, _added, _wrapped, _repeated, _deepened, _text_edited,
    _text_edited, _text_edited,
)  # fmt: skip

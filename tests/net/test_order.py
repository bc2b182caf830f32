"""Requests that say their places are carried out in that order, however they come, or not at all."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from node.net.order import Arrivals, Place
from protocols.errors import BadInput, NotNow


def places(number: int) -> list[Place]:
    names = [str(uuid4()) for _ in range(number)]
    return [Place(name, before) for name, before in zip(names, [None, *names], strict=False)]


async def test_what_comes_in_another_order_is_carried_out_in_that_of_the_places() -> None:
    arrivals, done = Arrivals(), list[str]()

    async def carry_out(place: Place) -> None:
        async with arrivals.take(place):
            await asyncio.sleep(0)
            done.append(place.name)

    sent = places(20)
    await asyncio.gather(*(carry_out(place) for place in [*sent[1::2], *sent[18::-2]]))
    assert done == [place.name for place in sent]


async def test_what_comes_behind_a_failure_is_refused_and_so_is_what_comes_behind_that() -> None:
    arrivals = Arrivals()
    first, second, third = places(3)
    with pytest.raises(BadInput):
        async with arrivals.take(first):
            raise BadInput("json.malformed", "No.", "Stop.")
    for place in (second, third):
        with pytest.raises(NotNow) as caught:
            async with arrivals.take(place):
                raise AssertionError("carried out")
        assert caught.value.code == "http.out_of_order"


async def test_what_comes_behind_something_that_was_cut_off_is_refused() -> None:
    arrivals = Arrivals()
    first, second = places(2)

    async def hang() -> None:
        async with arrivals.take(first):
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await asyncio.sleep(0)
    hanging.cancel()
    with pytest.raises(NotNow):
        async with arrivals.take(second):
            raise AssertionError("carried out")


async def test_what_comes_behind_something_that_never_comes_is_refused_after_a_while() -> None:
    _, second, third = places(3)
    arrivals = Arrivals(patience_seconds=0.01)
    for place in (second, third):
        with pytest.raises(NotNow) as caught:
            async with arrivals.take(place):
                raise AssertionError("carried out")
        assert caught.value.code == "http.out_of_order"


async def test_how_long_ago_requests_went_is_forgotten_in_the_end() -> None:
    arrivals = Arrivals(patience_seconds=0.01)
    first, second = places(2)
    async with arrivals.take(first):
        pass
    for place in places(20_000):
        async with arrivals.take(Place(place.name, None)):
            pass
    with pytest.raises(NotNow):
        async with arrivals.take(second):
            raise AssertionError("carried out")


def test_a_place_is_read_as_it_is_written() -> None:
    for place in places(2):
        assert Place.read(str(place)) == place


@pytest.mark.parametrize(
    "header", ["", "kept", "a" * 65, "a" * 16 + ";after=" + "b" * 16, "a" * 16 + "; after=b", "é" * 20]
)
def test_what_is_no_place_is_refused(header: str) -> None:
    with pytest.raises(BadInput) as caught:
        Place.read(header)
    assert caught.value.code == "http.order_malformed"

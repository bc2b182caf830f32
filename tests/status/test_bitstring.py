"""Bitstring Status List 1.0: the bits of a list, and what happens when they are hostile."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.multiformats import b64url_decode, b64url_encode
from protocols.status.bitstring import MIN_LIST_ENTRIES, Bitstring
from protocols.status.inflate import GZIP, MAX_LIST_BYTES, ZLIB, inflate

# The encodedList of the examples in the recommendation (§2.2): 131,072 zeros.
SPEC_ENCODED_LIST = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"

SIZES = st.integers(1, 16)


def test_the_list_of_the_recommendation_is_all_zeros() -> None:
    bits = Bitstring.decode(SPEC_ENCODED_LIST)
    assert len(bits) == MIN_LIST_ENTRIES
    assert not any(bytes(bits))


def test_index_zero_is_the_left_most_bit() -> None:
    bits = Bitstring()
    bits.set(0, 1)
    bits.set(MIN_LIST_ENTRIES - 1, 1)
    assert bytes(bits)[0] == 0b1000_0000
    assert bytes(bits)[-1] == 0b0000_0001


def test_equal_bits_encode_to_equal_bytes_without_a_time_in_the_header() -> None:
    one, other = Bitstring(), Bitstring()
    for index in (5, 77_777):
        one.set(index, 1)
        other.set(index, 1)
    assert one.encode() == other.encode()
    assert b64url_decode(one.encode()[1:])[4:8] == bytes(4)


@given(st.data(), SIZES)
def test_values_of_every_size_are_read_back_after_encoding(data: st.DataObject, size: int) -> None:
    places = st.integers(0, MIN_LIST_ENTRIES - 1) | st.sampled_from([0, 1, MIN_LIST_ENTRIES - 2, MIN_LIST_ENTRIES - 1])
    values = data.draw(st.dictionaries(places, st.integers(0, (1 << size) - 1), max_size=20))
    probe = data.draw(places)
    bits = Bitstring(size=size)
    for index, value in values.items():
        bits.set(index, value)
    again = Bitstring.decode(bits.encode(), size=size)
    assert again == bits
    assert len(again) >= MIN_LIST_ENTRIES
    assert {index: again.get(index) for index in {*values, probe}} == {probe: 0} | values


@given(st.integers(1, 100), SIZES, st.data())
def test_a_value_is_the_bits_that_stand_at_its_place(index: int, size: int, data: st.DataObject) -> None:
    head = data.draw(st.binary(min_size=256, max_size=256))
    bits = Bitstring.from_bytes(head + bytes(MIN_LIST_ENTRIES * 2), size=size)
    text = "".join(f"{byte:08b}" for byte in head)
    assert bits.get(index) == int(text[index * size : (index + 1) * size], 2)


@given(st.integers(1, 100), SIZES, st.data())
def test_setting_a_value_leaves_its_neighbours(index: int, size: int, data: st.DataObject) -> None:
    bits = Bitstring.from_bytes(b"\xa5" * (MIN_LIST_ENTRIES * 2), size=size)
    before = [bits.get(index - 1), bits.get(index + 1)]
    value = data.draw(st.integers(0, (1 << size) - 1))
    bits.set(index, value)
    assert [bits.get(index - 1), bits.get(index), bits.get(index + 1)] == [before[0], value, before[1]]


@pytest.mark.parametrize(("size", "index", "expected"), [(2, 1, 0b11), (4, 1, 0b0101), (8, 1, 0x5A), (3, 3, 0b101)])
def test_entries_of_several_bits_are_read_most_significant_bit_first(size: int, index: int, expected: int) -> None:
    bits = Bitstring.from_bytes(bytes([0b0011_0101, 0x5A]) + bytes(MIN_LIST_ENTRIES), size=size)
    assert bits.get(index) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("beyond", [-1, 0, 10**600])
def test_an_index_beyond_the_list_is_refused(size: int, beyond: int) -> None:
    bits = Bitstring(size=size)
    index = -1 if beyond < 0 else len(bits) + beyond
    with pytest.raises(BadInput) as reading:
        bits.get(index)
    with pytest.raises(BadInput) as writing:
        bits.set(index, 1)
    assert reading.value.code == writing.value.code == "status.index_out_of_range"


@pytest.mark.parametrize(("size", "value"), [(1, 2), (2, 4), (8, 256), (2, -1)])
def test_a_value_that_needs_more_bits_is_refused(size: int, value: int) -> None:
    with pytest.raises(BadInput) as error:
        Bitstring(size=size).set(3, value)
    assert error.value.code == "status.value_out_of_range"


@pytest.mark.parametrize(("entries", "size"), [(0, 1), (MIN_LIST_ENTRIES - 8, 1), (10**12, 1), (MAX_LIST_BYTES, 16)])
def test_a_list_too_short_to_hide_in_or_too_long_to_hold_is_refused(entries: int, size: int) -> None:
    with pytest.raises(BadInput) as error:
        Bitstring(entries, size=size)
    assert error.value.code == "status.list_length"


def test_entries_of_several_bits_need_a_longer_list() -> None:
    encoded = Bitstring().encode()
    with pytest.raises(BadInput) as error:
        Bitstring.decode(encoded, size=2)
    assert error.value.code == "status.list_length"


def bomb(window: int, mebibytes: int) -> bytes:
    """A stream that unpacks to so many MiB, made of one block again and again; 1 KiB for each MiB."""
    packer = zlib.compressobj(level=9, wbits=window)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (mebibytes - 1)


@pytest.mark.parametrize("window", [GZIP, ZLIB])
def test_a_list_that_unpacks_to_gigabytes_is_refused_in_constant_memory(window: int) -> None:
    small, large = bomb(window, 16), bomb(window, 4096)
    assert len(small) < 20_000
    peaks = []
    for packed in (small, large):
        tracemalloc.start()
        try:
            with pytest.raises(BadInput) as error:
                inflate(packed, window)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert error.value.code == "status.list_too_large"
    # What is not unpacked is kept aside as it came; nothing else grows with it.
    assert peaks[1] - len(large) <= peaks[0] + MAX_LIST_BYTES
    assert peaks[0] < 4 * MAX_LIST_BYTES


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "u",
        "zH4sI",
        SPEC_ENCODED_LIST[1:],
        SPEC_ENCODED_LIST[:-8],
        SPEC_ENCODED_LIST + "AAAA",
        "u!!!!",
        "u" + b64url_encode(zlib.compress(bytes(1 << 14))),
        "u" + b64url_encode(bytes(1 << 14)),
        "u" + b64url_encode(gzip.compress(bytes(1 << 14)) * 2),
    ],
)
def test_what_is_not_one_whole_gzip_member_in_base64url_is_refused(encoded: str) -> None:
    with pytest.raises(BadInput) as error:
        Bitstring.decode(encoded)
    assert error.value.code == "status.list_encoding"


@given(st.text(max_size=40) | st.binary(max_size=200).map(lambda data: "u" + b64url_encode(data)))
def test_no_text_makes_decoding_fail_in_another_way(encoded: str) -> None:
    with pytest.raises(BadInput):
        Bitstring.decode(encoded)

"""Base58: the vectors of its draft, and every byte string back and forth."""

from __future__ import annotations

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.multiformats import b58_decode, b58_encode

# draft-msporny-base58-03 §5
VECTORS = {
    b"Hello World!": "2NEpo7TZRRrLZSi2U",
    b"The quick brown fox jumps over the lazy dog.": "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
    bytes.fromhex("0000287fb4cd"): "11233QC4",
}


@pytest.mark.parametrize(("data", "text"), [*VECTORS.items(), (b"", ""), (bytes(3), "111"), (b"\0\1", "12")])
def test_the_vectors_hold(data: bytes, text: str) -> None:
    assert b58_encode(data) == text
    assert b58_decode(text) == data


@given(st.binary(max_size=200) | st.builds(bytes.__add__, st.integers(0, 70).map(bytes), st.binary(max_size=70)))
def test_the_base58_library_writes_and_reads_the_same(data: bytes) -> None:
    text = base58.b58encode(data).decode()
    assert b58_encode(data) == text
    assert b58_decode(text) == base58.b58decode(text) == data


@given(st.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    assert b58_decode(b58_encode(data)) == data


@given(st.text(base58.BITCOIN_ALPHABET.decode(), max_size=120))
def test_texts_come_back(text: str) -> None:
    assert b58_encode(b58_decode(text)) == text


@pytest.mark.parametrize(
    "text", ["0", "O", "I", "l", "2 ", " 2", "2\n", "é", "2-2", "2_2", "+2", "-2", "0x2", "2\x002", "z" * 5000]
)
def test_what_is_not_base58_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        b58_decode(text)

"""Which attachments are behind links, and the message with what was fetched in it, on both wires."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.linked import embedded, linked
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault

CONTENT = b'{"a":1}'
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FORMATS = {"wanted"}
LINKS = ("https://example.org/a", "https://example.org/b")


def message(wire: Wire, *, sha256: str | None = DIGEST, format: str = "wanted") -> PlainMessage:  # noqa: A002
    attachment = Attachment(id="one", links=LINKS, sha256=sha256, format=format)
    if wire is Wire.V2:
        return PlainMessage("t/1.0/m", "id", "id", wire=wire, attachments=(attachments_v2.write(attachment),))
    body: dict[str, Any] = {"formats": [{"attach_id": "one", "format": format}], "x~attach": [attachment.to_wire()]}
    return PlainMessage("t/1.0/m", "id", "id", body=body, wire=wire)


def content(plain: PlainMessage) -> bytes:
    if plain.wire is Wire.V2:
        return attachments_v2.read(plain.attachments[0]).content()
    return Attachment.from_wire(plain.body["x~attach"][0]).content()


@pytest.mark.parametrize("wire", list(Wire))
def test_what_was_fetched_stands_in_the_message(wire: Wire) -> None:
    (place,) = linked(message(wire), FORMATS)
    assert place.links == LINKS
    whole = embedded(message(wire), {place: CONTENT})
    assert content(whole) == CONTENT
    assert linked(whole, FORMATS) == ()


@pytest.mark.parametrize("wire", list(Wire))
def test_content_that_is_not_what_the_message_says_is_refused(wire: Wire) -> None:
    (place,) = linked(message(wire), FORMATS)
    with pytest.raises(PeerFault) as refused:
        embedded(message(wire), {place: CONTENT + b" "})
    assert refused.value.code == "attachment.hash"


@pytest.mark.parametrize("wire", list(Wire))
def test_a_link_without_a_hash_is_refused(wire: Wire) -> None:
    with pytest.raises(PeerFault) as refused:
        linked(message(wire, sha256=None), FORMATS)
    assert refused.value.code == "attachment.no_digest"


@pytest.mark.parametrize("wire", list(Wire))
def test_what_nobody_reads_is_not_fetched(wire: Wire) -> None:
    assert linked(message(wire, sha256=None, format="other"), FORMATS) == ()

"""What people bring: the records in a file or behind a link, whatever the file is.

Read here: a credential with proofs inside or under a seal (JSON), a JWT or SD-JWT as text, an enveloped credential, a
badge of Open Badges 2.0, a presentation, a résumé (LER-RS) or a JSON array of any of these, and a picture with one of
them baked in. Nothing is verified: each record is given on as its issuer has secured it, and who keeps it verifies it.
What came around it (a presentation's own proof, a key binding, what a résumé says by itself) is left out.
"""

from __future__ import annotations

from typing import Any

from node.records.baking import baked_in, is_image
from node.records.ler_rs import credentials_in, is_ler_rs
from protocols import strict_json
from protocols.credentials.model import CLR_CREDENTIAL, as_list, has_type, is_presentation, subjects
from protocols.credentials.open_badges_2.parts import is_signed_assertion
from protocols.credentials.reading import read_secured, stated, unwrapped
from protocols.credentials.sd_jwt.text import read_sd_jwt
from protocols.credentials.verify import MAX_EMBEDDED
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT

__all__ = ["BYTE_ORDER_MARK", "MAX_FILE_BYTES", "MAX_RECORDS", "link_in", "records_in", "records_within"]

MAX_FILE_BYTES = 2 << 20
"""Of a file that is taken in."""

MAX_RECORDS = 100
"""In one file."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_LINK = 4096


def link_in(data: bytes) -> str | None:
    """Where the badge of a picture is hosted, if the picture has no more of it than that (Open Badges 2.0, Baking).

    Raises:
        BadInput: ``badge.*``.
    """
    baked = baked_in(data) if len(data) <= MAX_FILE_BYTES and is_image(data) else b""
    is_link = baked.startswith((b"https://", b"http://")) and len(baked) <= _MAX_LINK
    return baked.decode("ascii", "replace") if is_link else None


def records_in(data: bytes) -> list[bytes]:
    """The records of a file, each as it is to be kept: JSON, or compact text.

    Raises:
        BadInput: ``intake.unknown`` where nothing of it is read; ``intake.too_large``, ``badge.*``; ``json.*``,
            ``jws.*``, ``jwt.*``, ``sd_jwt.*``, ``structure.*``.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(
            "intake.too_large", f"The file has more than {MAX_FILE_BYTES >> 20} MiB.", "Bring a smaller one."
        )
    if is_image(data):
        data = baked_in(data)
    text = data.removeprefix(BYTE_ORDER_MARK).strip()
    if text.startswith(b"ey"):
        return _of_item(text.decode("latin-1"))
    if not text.startswith((b"{", b"[")):
        raise BadInput(
            "intake.unknown",
            "The file is nothing that records come in.",
            "Bring a record as JSON, JWT or SD-JWT, or a badge as PNG or SVG.",
        )
    items = as_list(strict_json.loads(text))
    records = [record for item in items[: MAX_RECORDS + 1] for record in _of_item(item)]
    if not 0 < len(records) <= MAX_RECORDS:
        raise BadInput("intake.records", f"The file has not 1 to {MAX_RECORDS} records.", "Bring others.")
    return records


def records_within(record: bytes) -> list[bytes]:
    """The records that stand in a Comprehensive Learner Record, each as its issuer has secured it; none in another.

    Raises:
        BadInput: as :func:`records_in`.
    """
    said = stated(record)
    if not has_type(said, CLR_CREDENTIAL):
        return []
    inside = [item for subject in subjects(said) for item in as_list(subject.get("verifiableCredential"))]
    return [found for item in inside[:MAX_EMBEDDED] for found in _of_item(item)]


def _of_item(item: Any) -> list[bytes]:
    document = unwrapped(item) if isinstance(item, dict) else item
    if isinstance(document, str) and document.startswith("{"):
        return [document.encode()]  # a seal, which has credentials only under it
    if isinstance(document, str):
        if is_signed_assertion(document):
            return [document.encode()]
        read = read_secured(document, DEFAULT)
        inside = read.document if is_presentation(read.document) else None
        if inside is None:
            return [(read_sd_jwt(document).text if "~" in document else document).encode()]
    elif isinstance(document, dict) and is_ler_rs(document):
        inside = {"verifiableCredential": _brought_by(document)}
    elif isinstance(document, dict):
        inside = document if is_presentation(document) else None
        if inside is None:
            return [strict_json.dumps(document)]
    else:
        raise BadInput("intake.unknown", "What stands in the file is no record.", "Bring another file.")
    # A presentation in a presentation is nobody's way to hand over records, and would not end.
    items = as_list(inside.get("verifiableCredential"))[: MAX_RECORDS + 1]
    if any(is_presentation(each) or is_ler_rs(each) for each in items if isinstance(each, dict)):
        raise BadInput("intake.unknown", "A presentation stands in a presentation.", "Bring the records.")
    return [record for each in items for record in _of_item(each)]


def _brought_by(resume: dict[str, Any]) -> list[Any]:
    found = credentials_in(resume)
    if not found:
        message = "Nothing in the résumé is a verifiable credential: all of it is self-asserted."
        raise BadInput("intake.self_asserted", message, "See what it says: lernode verify FILE")
    return list(found)

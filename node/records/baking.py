"""Badges that are pictures: a record in a PNG or SVG file, taken out or put in.

Specs: Open Badges 3.0 §5.3.1 (PNG: an iTXt chunk ``openbadgecredential``) and §5.3.2 (SVG: an ``openbadges:credential``
element with JSON inside, or a JWT in ``verify``); Open Badges 2.0, Baking (``openbadges``, ``openbadges:assertion``),
where the text may be the URL of a hosted badge. What is taken out is as the picture has it, and not verified.
"""

from __future__ import annotations

from node.records import png, svg
from protocols import strict_json
from protocols.credentials.open_badges_2.parts import JWS, is_assertion
from protocols.errors import BadInput

__all__ = ["bake", "baked_in", "is_image", "media_type_of_image"]

_KEYWORD = "openbadgecredential"
_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_ELEMENT = f"{{{_NAMESPACE}}}credential"
_KEYWORD_2 = "openbadges"
_NAMESPACE_2 = "http://openbadges.org"
_ELEMENT_2 = f"{{{_NAMESPACE_2}}}assertion"


def is_image(data: bytes) -> bool:
    """Whether it may be a picture with a record in it: a PNG file, or XML."""
    return data.startswith(png.SIGNATURE) or data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def media_type_of_image(data: bytes) -> str:
    """The media type of a picture."""
    return "image/png" if data.startswith(png.SIGNATURE) else "image/svg+xml"


def baked_in(data: bytes) -> bytes:
    """The record in a picture: JSON, compact text, or the URL of a hosted badge; of two kinds that of Open Badges 3.0.

    Raises:
        BadInput: ``badge.image``, ``badge.too_large``; ``badge.none`` where there is none, ``badge.several``.
    """
    if data.startswith(png.SIGNATURE):
        named = png.texts(data, _KEYWORD, _KEYWORD_2)
    else:
        named = [(tag, _said(verify, text)) for tag, verify, text in svg.elements(data, _ELEMENT, _ELEMENT_2)]
    newest = [text for name, text in named if name in {_KEYWORD, _ELEMENT}]
    found = newest or [text for _name, text in named]
    if not found:
        raise BadInput(
            "badge.none",
            "The image has no record in it.",
            "Download the badge anew: programs that change images often drop what is baked in.",
        )
    if len(found) > 1:
        raise BadInput("badge.several", "The image has more than one record in it.", "Download the badge anew.")
    return found[0].strip().encode()


def bake(image: bytes, document: bytes) -> bytes:
    """A picture with a record in it, which replaces one that is there in a PNG file.

    Args:
        image: PNG or SVG.
        document: JSON, or the text of a JWT.

    Raises:
        BadInput: ``badge.image``, ``badge.baked``; ``badge.format`` where it is neither PNG nor SVG.
    """
    if not is_image(image):
        raise BadInput("badge.format", "The image is neither PNG nor SVG.", "Convert it to PNG first.")
    text = document.decode()
    keyword, namespace, name = _KEYWORD, _NAMESPACE, "credential"
    badge = strict_json.loads_object(document) if text.startswith("{") else {}
    if is_assertion(badge):
        keyword, namespace, name = _KEYWORD_2, _NAMESPACE_2, "assertion"
        text = badge.get(JWS, text)
    if image.startswith(png.SIGNATURE):
        return png.with_text(image, keyword, text)
    if not text.startswith("{"):
        return svg.with_element(image, namespace, name, verify=text, text="")
    verify = badge["id"] if is_assertion(badge) else None
    # In JSON these characters stand in strings only, where this means the same and does not end the CDATA section.
    return svg.with_element(image, namespace, name, verify=verify, text=text.replace("]]>", "]]\\u003e"))


def _said(verify: str | None, text: str) -> str:
    """What an element says: all of it, where it has that, else what is to be verified, a token or a URL."""
    return text if text.strip().startswith("{") else verify or text

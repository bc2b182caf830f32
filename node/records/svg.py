"""The badge elements of an SVG file, and putting one in.

Read by defusedxml in one pass that keeps nothing: entities are refused (they can make megabytes of a line, or name
files), nothing external is fetched, and elements and depth are bounded. Written without writing the file anew: the
element goes directly after the start of the ``svg`` element (Open Badges 3.0 §5.3.2), and all else stays.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from protocols.errors import BadInput

__all__ = ["elements", "with_element"]

_SVG = "{http://www.w3.org/2000/svg}svg"
_MAX_ELEMENTS = 200_000
_MAX_DEPTH = 256
_PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>)*", re.DOTALL)
_START = re.compile(rb"""<[\w.-]*:?svg(?=[\s>])(?:[^>"'/]|/(?!>)|"[^"]*"|'[^']*')*>""")


def elements(data: bytes, *names: str) -> list[tuple[str, str | None, str]]:
    """The elements with one of these names (``{namespace}name``): each name, its ``verify`` attribute, and its text.

    Raises:
        BadInput: ``badge.image``.
    """
    return [(each.tag, each.get("verify"), each.text or "") for each in _ended(data) if each.tag in names]


def with_element(data: bytes, namespace: str, name: str, *, verify: str | None, text: str) -> bytes:
    """The file with this element directly after the start of the ``svg`` element.

    Args:
        name: without a prefix; it is written with ``openbadges``.
        verify: the attribute of that name.
        text: its content, which must not have ``]]>`` in it.

    Raises:
        BadInput: ``badge.image``; ``badge.baked`` where the file has such an element.
    """
    tag = f"{{{namespace}}}{name}"
    if elements(data, tag):
        raise BadInput("badge.baked", "There is a record in the image already.", "Take an image without one.")
    prologue = _PROLOGUE.match(data)
    start = _START.match(data, prologue.end() if prologue else 0)
    if start is None:
        raise _broken("it is not written in UTF-8, or its first element is empty or not svg")
    attribute = "" if verify is None else f" verify={quoteattr(verify)}"
    content = f"<![CDATA[{text}]]>" if text else ""
    element = f"<openbadges:{name} xmlns:openbadges={quoteattr(namespace)}{attribute}>{content}</openbadges:{name}>"
    baked = data[: start.end()] + b"\n" + element.encode() + data[start.end() :]
    if elements(baked, tag) != [(tag, verify, text)]:
        raise _broken("it is written in a way that does not let anything be put in")
    return baked


def _ended(data: bytes) -> Iterator[Element]:
    """Each element when it ends; what was in it is forgotten then."""
    open_elements: list[Element] = []
    count = 0
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end")):
            if event == "start":
                count += 1
                if not open_elements and element.tag != _SVG:
                    raise _broken("its first element is not svg")
                open_elements.append(element)
                if count > _MAX_ELEMENTS or len(open_elements) > _MAX_DEPTH:
                    raise _broken("it has too many elements, or nests them too deeply")
                continue
            yield element
            open_elements.pop()
            element.clear()
            if open_elements:
                open_elements[-1].remove(element)
    except DefusedXmlException:
        raise _broken("it declares entities, which may stand for anything") from None
    except (ParseError, LookupError, ValueError):
        raise _broken("it is no well-formed XML") from None


def _broken(why: str) -> BadInput:
    return BadInput("badge.image", f"The SVG file cannot be read: {why}.", "Bring the file as it was downloaded.")

"""Reads the QR codes in a picture or a PDF."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import pypdfium2
import zxingcpp
from PIL import Image

from protocols.errors import BadInput

__all__ = ["MAX_BYTES", "codes_in"]

MAX_BYTES = 32 << 20
_MAX_PIXELS = 100_000_000
_MAX_PAGES = 20
_SCALE = 3.0  # 216 dots to the inch, at which the largest printed code has three for each of its squares


def codes_in(data: bytes) -> list[str]:
    """The texts of all QR codes, page by page.

    Raises:
        BadInput: ``code.unreadable`` where it is neither a picture nor a PDF.
    """
    return [found.text for picture in _pictures(data) for found in zxingcpp.read_barcodes(picture, formats=_QR)]


_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


def _pictures(data: bytes) -> Iterator[Image.Image]:
    try:
        if data.startswith(b"%PDF-"):
            yield from _pages(data)
            return
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
            if picture.width * picture.height > _MAX_PIXELS:
                raise _unreadable()
            yield picture.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning,
            pypdfium2.PdfiumError):  # fmt: skip
        raise _unreadable() from None


def _pages(data: bytes) -> Iterator[Image.Image]:
    document = pypdfium2.PdfDocument(data)
    try:
        for number in range(min(len(document), _MAX_PAGES)):
            page = document[number]
            scale = min(_SCALE, (_MAX_PIXELS / max(1.0, page.get_width() * page.get_height())) ** 0.5)
            yield page.render(scale=scale, grayscale=True).to_pil()
    finally:
        document.close()


def _unreadable() -> BadInput:
    return BadInput("code.unreadable", "That is neither a picture nor a PDF that can be read.", "Scan it again.")

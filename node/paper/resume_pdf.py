"""A résumé as a PDF to print, with a code that verifies from paper.

Text of any direction is shaped by HarfBuzz. Fonts are Noto Sans (Latin, Greek, Cyrillic, Devanagari), Noto Sans Arabic,
and Heebo (Hebrew), all under the SIL Open Font Licence 1.1, which lets documents embed them; a letter that none of them
has is printed as an empty box.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import fontpkg
import segno
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from node.paper.entry import PrintedEntry
from node.records.shown import shown

__all__ = ["resume_pdf"]

_FONTS = {"NotoSans": "Noto Sans", "NotoSansArabic": "Noto Sans Arabic", "Heebo": "Heebo"}
_MAIN = "NotoSans"
_INK, _GREY, _BLUE = (27, 27, 27), (90, 90, 90), (11, 83, 148)
_CODE_MM, _LINK_MM = 130.0, 50.0
_MANY_CHARS = 400


def resume_pdf(title: str, text: str, entries: Sequence[PrintedEntry], code: str, about: str, now: datetime) -> bytes:
    """The file.

    Args:
        code: the text of the QR code.
        about: what to do with it, for the reader of the paper.
    """
    pdf = _document(title, now)
    _write(pdf, title, size=22)
    _write(pdf, text, size=11)
    for entry in entries:
        pdf.ln(4)
        _write(pdf, entry.name, size=14, colour=_BLUE)
        _write(pdf, entry.mark, size=10)
        _write(pdf, entry.text, size=10)
        for name, value in entry.facts:
            _write(pdf, f"{name}: {value}", size=9, colour=_GREY)
    _put_code(pdf, code, about)
    return bytes(pdf.output())


def _document(title: str, now: datetime) -> FPDF:
    pdf = FPDF(format="A4")
    pdf.set_title(shown(title))
    pdf.set_lang("en")
    pdf.set_creator("lernode")
    pdf.set_creation_date(now)
    pdf.set_margin(18)
    pdf.set_auto_page_break(True, margin=18)
    for family, name in _FONTS.items():
        pdf.add_font(family, "", str(fontpkg.path(name)))
    pdf.set_font(_MAIN)
    pdf.set_fallback_fonts([family for family in _FONTS if family != _MAIN])
    pdf.set_text_shaping(True)
    pdf.add_page()
    return pdf


def _write(pdf: FPDF, text: str, *, size: int, colour: tuple[int, int, int] = _INK) -> None:
    pdf.set_font(_MAIN, size=size)
    pdf.set_text_color(*colour)
    for line in (shown(part) for part in text.split("\n")):
        if line:
            align = Align.R if _is_right_to_left(line) else Align.L
            pdf.multi_cell(0, size * 0.5, line, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _is_right_to_left(text: str) -> bool:
    """By the first letter that has a direction (Unicode UAX #9, P2)."""
    return next((kind != "L" for char in text if (kind := unicodedata.bidirectional(char)) in {"L", "R", "AL"}), False)


def _put_code(pdf: FPDF, code: str, about: str) -> None:
    made = segno.make(code, error="l" if len(code) > _MANY_CHARS else "m", micro=False)
    side = _CODE_MM if len(code) > _MANY_CHARS else _LINK_MM
    pixels = io.BytesIO()
    made.save(pixels, kind="png", scale=4, border=4)
    pdf.ln(4)
    if pdf.will_page_break(side + 25):
        pdf.add_page()
    _write(pdf, about, size=10)
    pdf.image(pixels, w=side, h=side, alt_text="QR code with the signed presentation", x=Align.C)

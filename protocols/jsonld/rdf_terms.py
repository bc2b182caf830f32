"""RDF terms and quads as canonical N-Quads text.

RDF 1.1 N-Quads with the canonical form of RDFC-1.0 §5: the text of a term is its identity, so quads are
plain tuples of such texts and a dataset is a set of them. A blank node is ``_:`` and a label.
"""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["RDF", "XSD", "InvalidTerm", "Quad", "canonical_double", "iri", "literal", "scalar", "suffix"]

Quad = tuple[str, str, str, str]
"""Subject, predicate, object, graph; the graph is empty for the default graph."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"

# Absolute, and free of what would end the IRI in N-Quads: text taken from a document must not forge quads.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\s<>\"{}|^`\\]*").fullmatch
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*").fullmatch
# The lexical space of xsd:double, less INF and NaN, which processors write differently.
_DOUBLE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII).fullmatch

_SPECIAL = re.compile('["\\\\\x00-\x1f\x7f]').search
_ESCAPES = {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)} | {
    ord(char): escape
    for char, escape in {
        "\b": "\\b",
        "\t": "\\t",
        "\n": "\\n",
        "\f": "\\f",
        "\r": "\\r",
        '"': '\\"',
        "\\": "\\\\",
    }.items()
}


class InvalidTerm(ValueError):
    """A value that is no RDF term; the message says why, without the value."""


def iri(value: str) -> str:
    """The text of an absolute IRI.

    Raises:
        InvalidTerm: it is relative or has a character that an IRI cannot have.
    """
    if _IRI(value) is None:
        raise InvalidTerm("not an absolute IRI")
    return f"<{value}>"


def suffix(datatype: str | None = None, language: str | None = None) -> str:
    """What follows the lexical form of a literal: its closing quote, and language or datatype.

    Raises:
        InvalidTerm: the language is no BCP 47 tag, or the datatype no absolute IRI or one that needs a language.
    """
    if language is not None:
        if _LANGUAGE(language) is None:
            raise InvalidTerm("not a BCP 47 language tag")
        return f'"@{language.lower()}'
    if datatype is None or datatype == XSD + "string":
        return '"'
    if datatype == RDF + "langString":
        raise InvalidTerm("a language-tagged string without a language")
    return '"^^' + iri(datatype)


def literal(lexical: str, ending: str) -> str:
    """The text of a literal from its lexical form and its :func:`suffix`."""
    if _SPECIAL(lexical) is not None:
        lexical = lexical.translate(_ESCAPES)
    return f'"{lexical}{ending}'


def canonical_double(value: float) -> str:
    """The canonical lexical form of a finite xsd:double with 15 fraction digits (JSON-LD 1.1 API §8.6).

    Raises:
        InvalidTerm: it is not finite.
    """
    try:
        number = float(value)
    except OverflowError:
        raise InvalidTerm("a number too large for a double") from None
    if not math.isfinite(number):
        raise InvalidTerm("a number that is not finite")
    mantissa, exponent = f"{number:.15E}".split("E")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent)}"


def scalar(value: Any, datatype: str | None = None) -> str:
    """The text of the literal of a JSON string, number or boolean (JSON-LD 1.1 API §8.2.2).

    Args:
        datatype: the IRI of the type that the document gives, or None.

    Raises:
        InvalidTerm: the value has no place in RDF, or not with this datatype.
    """
    if value is True or value is False:
        return literal("true" if value else "false", suffix(datatype or XSD + "boolean"))
    if isinstance(value, str):
        if datatype != XSD + "double":
            return literal(value, suffix(datatype))
        if _DOUBLE(value) is None:
            raise InvalidTerm("not a finite xsd:double")
        return literal(canonical_double(float(value)), suffix(datatype))
    if not isinstance(value, int | float):
        raise InvalidTerm("neither string, number nor boolean")
    whole = isinstance(value, int) or value.is_integer()
    if whole and datatype != XSD + "double" and abs(value) < 1e21:
        return literal(str(int(value)), suffix(datatype or XSD + "integer"))
    return literal(canonical_double(value), suffix(datatype or XSD + "double"))

"""Which cryptosuite proves what has to have its proof inside: offers over a connection (RFC 0593), and status lists."""

from __future__ import annotations

from protocols.credentials.data_integrity import CRYPTOSUITES, Selective
from storage.dids import OwnDid

__all__ = ["proof_suite"]


def proof_suite(did: OwnDid, securing: str, *, selective: bool = False) -> str:
    """The suite that ``securing`` names, or else the first that fits a key of ``did`` and proves whole documents.

    Args:
        selective: whether it may also be named one that lets its holder show parts.
    """
    kinds = {key.codec for key in did.keys}
    fitting = {name: suite for name, suite in CRYPTOSUITES.items() if kinds & suite.key_types}
    whole = [name for name, suite in fitting.items() if not isinstance(suite, Selective)]
    return securing if securing in (fitting if selective else whole) else whole[0]

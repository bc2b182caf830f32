"""Claim formats of a definition: which proofs a credential and a presentation may carry.

DIF Claim Format Registry. This node answers with an ``ldp_vp``, a JSON-LD document with an embedded proof; the records
in it are alike (``ldp_vc``), or JWTs and SD-JWTs in envelopes, where the definition names no formats or names theirs.
``proof_type`` names the proof's ``type`` or, for ``DataIntegrityProof``, its cryptosuite; ``cryptosuite`` (as OpenID4VP
writes it) narrows ``DataIntegrityProof`` further. ``alg`` and ``sd-jwt_alg_values`` narrow tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.exchange.claims import LDP_VC, TOKEN_FORMATS, Claim
from protocols.exchange.reading import Member

__all__ = ["ANY_FORMAT", "LDP_VC", "LDP_VP", "ClaimFormats", "ProofRule", "TokenRule", "parse_formats"]

LDP_VP = "ldp_vp"

_DATA_INTEGRITY = "DataIntegrityProof"
_MAX_FORMATS = 32
_MAX_PROOF_TYPES = 64
_ALGORITHMS = ("alg", "alg_values", "sd-jwt_alg_values")
# The registry's names that stand for credentials and presentations alike.
_BOTH_KINDS = frozenset({"ldp", "jwt"})


@dataclass(frozen=True, slots=True)
class ProofRule:
    """Which proofs one format entry lets through; an empty set lets every one through.

    Attributes:
        proof_types: allowed proof types or names of cryptosuites.
        cryptosuites: allowed cryptosuites of a ``DataIntegrityProof``.
    """

    proof_types: frozenset[str] = frozenset()
    cryptosuites: frozenset[str] = frozenset()

    def allows(self, proof: Mapping[str, Any]) -> bool:
        """Whether the proof is one of the allowed."""
        kind, suite = proof.get("type"), proof.get("cryptosuite")
        names = {kind, suite} if kind == _DATA_INTEGRITY and isinstance(suite, str) else {kind}
        if kind == _DATA_INTEGRITY and self.cryptosuites and suite not in self.cryptosuites:
            return False
        return not self.proof_types or not self.proof_types.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class TokenRule:
    """Which JWTs or SD-JWTs one format entry lets through; no algorithms at all let every one through."""

    securings: frozenset[str]
    algorithms: frozenset[str] = frozenset()

    def allows(self, claim: Claim) -> bool:
        """Whether the token is of an allowed kind."""
        return claim.securing in self.securings and (not self.algorithms or claim.algorithm in self.algorithms)


@dataclass(frozen=True, slots=True)
class ClaimFormats:
    """What a ``format`` object says; None for a kind that it says nothing about, so that any will do.

    Attributes:
        tokens: None where there is no such object at all: who names formats and no token reads none.
    """

    credential: tuple[ProofRule, ...] | None = None
    presentation: tuple[ProofRule, ...] | None = None
    tokens: tuple[TokenRule, ...] | None = None

    def allow_credential(self, claim: Claim) -> bool:
        """Whether the credential has an embedded proof of an allowed type, or is an allowed token."""
        if claim.securing is None:
            return _allows(self.credential, claim.document)
        return self.tokens is None or any(rule.allows(claim) for rule in self.tokens)

    def allow_presentation(self, document: Mapping[str, Any]) -> bool:
        """Whether the presentation has an embedded proof of an allowed type; unsigned will do where any does."""
        return self.presentation is None or _allows(self.presentation, document)

    def allow_presentation_suite(self, suite: str) -> bool:
        """Whether a presentation signed with ``suite`` (a proof type or a cryptosuite's name) would be allowed."""
        proofs: list[dict[str, Any]] = [{"type": suite}, {"type": _DATA_INTEGRITY, "cryptosuite": suite}]
        return self.presentation is None or any(_allows(self.presentation, {"proof": proof}) for proof in proofs)


ANY_FORMAT = ClaimFormats()


def parse_formats(member: Member) -> ClaimFormats:
    """Read a ``format`` object; no restriction where there is none.

    Raises:
        BadInput: ``pex.definition_malformed``.
    """
    if not member.given:
        return ANY_FORMAT
    names = list(member.mapping().value)[: _MAX_FORMATS + 1]
    Member(names, member.place).items(_MAX_FORMATS, at_least=1)
    rules = {name: _parse_rule(member[name]) for name in names}
    return ClaimFormats(
        credential=_rules_for(rules, "ldp", LDP_VC, presentation=False),
        presentation=_rules_for(rules, "ldp", LDP_VP, presentation=True),
        tokens=tuple(_parse_token_rule(member[name], TOKEN_FORMATS[name]) for name in names if name in TOKEN_FORMATS),
    )


def _parse_token_rule(member: Member, securings: frozenset[str]) -> TokenRule:
    named = [item.identifier() for at in _ALGORITHMS for item in member[at].items(_MAX_PROOF_TYPES)]
    return TokenRule(securings, frozenset(named))


def _parse_rule(member: Member) -> ProofRule:
    member.mapping()
    return ProofRule(
        frozenset(item.identifier() for item in member["proof_type"].items(_MAX_PROOF_TYPES)),
        frozenset(item.identifier() for item in member["cryptosuite"].items(_MAX_PROOF_TYPES)),
    )


def _rules_for(rules: Mapping[str, ProofRule], *names: str, presentation: bool) -> tuple[ProofRule, ...] | None:
    if not any(name in _BOTH_KINDS or ("_vp" in name) is presentation for name in rules):
        return None
    return tuple(rules[name] for name in names if name in rules)


def _allows(rules: tuple[ProofRule, ...] | None, document: Mapping[str, Any]) -> bool:
    value = document.get("proof")
    proofs = [proof for proof in (value if isinstance(value, list) else [value]) if isinstance(proof, dict)]
    return any(rules is None or any(rule.allows(proof) for rule in rules) for proof in proofs)

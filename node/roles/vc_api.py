"""The three roles of the VC API, put together from what a node has."""

from __future__ import annotations

from dataclasses import dataclass

from node.roles.vc_api_holder import VcApiHolder
from node.roles.vc_api_issuer import VcApiIssuer
from node.roles.vc_api_verifier import VcApiVerifier

__all__ = ["VcApiRoles"]


@dataclass(frozen=True, slots=True)
class VcApiRoles:
    """What a client of the VC API does, by role."""

    issuer: VcApiIssuer
    holder: VcApiHolder
    verifier: VcApiVerifier

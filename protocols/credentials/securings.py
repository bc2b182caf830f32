"""The ways of securing that lernode issues with. A new one is one file and one line here."""

from __future__ import annotations

from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.data_integrity.securing import DataIntegrity
from protocols.credentials.issuing import Securing
from protocols.credentials.jose.securing import JwtSecuring
from protocols.credentials.sd_jwt.securing import SdJwtSecuring, SdJwtVcSecuring
from protocols.credentials.secured import CREDENTIAL, PRESENTATION

__all__ = ["SECURINGS"]

SECURINGS: dict[str, Securing] = {
    **{name: DataIntegrity(suite) for name, suite in CRYPTOSUITES.items()},
    "vc+jwt": JwtSecuring("vc+jwt", CREDENTIAL),
    "vp+jwt": JwtSecuring("vp+jwt", PRESENTATION),
    "vc+sd-jwt": SdJwtSecuring(),
    "dc+sd-jwt": SdJwtVcSecuring(),
}
"""Name -> how it is done: each cryptosuite, and the media type of each envelope without ``application/``."""

"""Selective disclosure for JWTs (SD-JWT, RFC 9901): SD-JWT VC, and the W3C data model secured so (VC-JOSE-COSE §3.2).

Why not the reference library (``sd-jwt``): it signs with keys in memory only, decodes base64url and JSON leniently,
takes disclosures that nothing refers to, claims named ``_sd`` and one hash only. It is the other side in our tests.
"""

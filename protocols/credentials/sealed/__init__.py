"""Credentials under an electronic seal: a JWS in JSON with the certificate of who sealed it (JAdES, X.509)."""

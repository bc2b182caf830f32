"""Revocation Notification 1.0 and 2.0 (Aries RFC 0183, RFC 0721): an issuer tells a holder that a record is revoked."""

"""Out-of-band 1.1 (Aries RFC 0434) and 2.0 (DIDComm 2.1): invitations, their links, and reuse of connections."""

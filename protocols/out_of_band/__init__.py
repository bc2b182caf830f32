"""Out-of-band 1.1 (Aries RFC 0434): invitations, their links, and reuse of connections."""

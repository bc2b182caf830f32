"""Trust Ping 1.0 (Aries RFC 0048) and 2.0 (DIDComm 2.1): is the peer there, and does the channel work."""

"""Trust Ping 1.0 (Aries RFC 0048): is the peer there, and does the channel work."""

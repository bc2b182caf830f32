"""DID Rotate 1.0 (Aries RFC 0794): another DID for one end of a relationship, or its end."""

"""DID Rotate 1.0 (Aries RFC 0794): the end of a relationship, by ``hangup``. Rotation itself is not spoken."""

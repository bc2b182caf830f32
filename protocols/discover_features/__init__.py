"""Discover Features 1.0 and 2.0 (Aries RFC 0031, RFC 0557): what does a peer speak."""

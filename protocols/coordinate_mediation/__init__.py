"""Coordinate Mediation 1.0 (Aries RFC 0211), 2.0 and 3.0: who holds messages for whom."""

"""Whom a verifier believes, for what, and by whose word: rules, trust lists and accreditations, without I/O."""

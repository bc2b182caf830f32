"""Present Proof 2.0 (Aries RFC 0454) with DIF Presentation Exchange (Aries RFC 0510): a verifier and a prover."""

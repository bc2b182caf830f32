"""Issue Credential 2.0 (Aries RFC 0453) with JSON-LD credentials (Aries RFC 0593): an issuer and a holder."""

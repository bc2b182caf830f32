"""Open Badges 2.0 and 2.1: reading and verifying badges that were awarded before Verifiable Credentials."""

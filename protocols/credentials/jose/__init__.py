"""VC-JOSE-COSE 1.0: credentials and presentations as JWTs, and the JWTs of VC Data Model 1.1."""

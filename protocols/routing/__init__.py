"""Routing 1.0 (Aries RFC 0094) and 2.0 (DIDComm 2.1): messages that a mediator holds for somebody else."""

"""DIDComm: envelopes and the message model, behind one interface for both wire versions."""

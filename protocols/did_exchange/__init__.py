"""DID Exchange 1.1 (Aries RFC 0023): two nodes give each other the DIDs of their relationship."""

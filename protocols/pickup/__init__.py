"""Pickup 2.0 (Aries RFC 0685) and 3.0 (didcomm.org): how messages that a mediator holds come to their recipient."""

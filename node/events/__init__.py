"""Events: what the institution's own systems are told, as webhooks or as a stream (docs/webhooks.md)."""

"""did:webvh 1.0: ``method.py`` is the method, the others verify its log, entry by entry, and its witnesses."""

"""The types of ``credentialSchema``: the table of them in ``registry.py``, one file a type, and JSON Schema itself."""

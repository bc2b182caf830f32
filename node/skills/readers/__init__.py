"""Readers of framework files, one a format. Each has ``recognises(text)`` and ``read(text, name)``."""

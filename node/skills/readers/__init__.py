"""Readers of framework files, one a format. Each has ``recognises(source)`` and ``read(source)``."""

"""Runs test suites of the W3C against a real node, as docs/conformance.md describes."""

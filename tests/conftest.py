"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says how busy the machine is; timings belong in the benchmarks.
settings.register_profile("lernode", deadline=None)
settings.load_profile("lernode")

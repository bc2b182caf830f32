"""The crash harness: two nodes as real processes, a driver, an injector of faults, and what must hold in the end.

``plan`` draws everything from the seed beforehand; ``relay``, ``nodes``, ``servers``, ``disks`` and ``clocks`` carry
the faults out; ``driver`` issues, presents and revokes and remembers what it was told; ``verdict`` looks for what was
lost or doubled once everything is healed; ``run`` puts them together.
"""

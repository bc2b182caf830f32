"""What is said between peers and how records are proved: pure functions and values.

Nothing in this package opens a socket or a file, reads a clock, draws randomness or touches a
database; whatever a function needs from the world comes in as an argument.
"""

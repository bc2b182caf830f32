"""What opens the nodes of tests: a key, as with ``--key-file``, since Argon2id would take longer than most tests do.

Where a passphrase is what a test looks at or for, its nodes have one, and so have the processes of tests/system.
"""

from __future__ import annotations

from storage.secrets import WrappingKey

KEY = WrappingKey(bytes(range(32)))
KEY_TEXT = KEY.raw.hex()
PASSPHRASE = "correct horse battery staple"

"""The running program: composes ``protocols`` and ``storage`` into a node; nothing imports it."""

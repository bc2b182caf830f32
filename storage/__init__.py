"""Where a node keeps things: one async interface over an embedded database, one file an aggregate."""

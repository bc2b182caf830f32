"""Real agents of others, started beside a lernode on this machine, and every exchange walked with them."""

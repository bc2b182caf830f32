"""The ``lernode`` command: one file a command group. Commands talk to a node through its admin API only."""

"""What the node reads from and sends to the network, all of it through one guarded HTTP client."""

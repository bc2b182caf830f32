"""What this node knows of whom to trust."""

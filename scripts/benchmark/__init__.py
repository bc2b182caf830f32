"""What lernode costs: measured on the machine at hand, and told as ratios to raw Ed25519 so that runs compare."""

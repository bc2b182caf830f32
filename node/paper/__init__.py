"""What learners print, and what verifiers read back from paper."""

"""Coverage-guided fuzzing of everything that reads bytes of strangers; run by ``scripts/fuzz``."""

"""The topology of ``docker/compose.yaml`` as plain processes, to run through failures: ``scripts/replicas``."""

"""What a verifier asks for and what a holder answers with; ``presentation_exchange`` is the way in."""

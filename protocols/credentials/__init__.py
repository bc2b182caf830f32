"""Credentials and presentations: what they may say and how they are proved."""

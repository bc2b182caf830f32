"""How a verifier learns whether a record still stands: status entries and the lists that they point into."""

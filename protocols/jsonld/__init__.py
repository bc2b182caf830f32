"""JSON-LD in safe mode over known contexts, and its canonical form: what signatures over credentials cover."""

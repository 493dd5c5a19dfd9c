"""The processes of a set: how they start, die, beat and are told where they belong."""

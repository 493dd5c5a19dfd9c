"""Seeded streams whose drift is known: for demonstrations, benchmarks and tests."""

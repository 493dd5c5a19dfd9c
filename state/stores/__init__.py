"""Stores of references, events and series behind one set of protocols."""

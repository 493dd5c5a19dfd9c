"""Faults put into a file of somebody's own, with the truth about them."""

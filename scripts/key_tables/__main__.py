"""Brings the tables of docs/configuration.md up to date."""

from scripts.key_tables.page import main

main()

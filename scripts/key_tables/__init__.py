"""The tables of docs/configuration.md, written from the code."""

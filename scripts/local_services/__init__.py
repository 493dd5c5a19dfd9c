"""Starts, checks and ends a Kafka broker and a Redis server on this machine."""

"""Kafka behind small interfaces, so that either client library can stand there."""

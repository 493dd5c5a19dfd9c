"""From raw records to columns; a bad record becomes a dead letter with its reason."""

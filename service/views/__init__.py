"""What pages show, read from a store: functions without a browser or a network."""

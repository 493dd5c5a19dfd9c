"""Where results go, idempotent and acknowledged."""

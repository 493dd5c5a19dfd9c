"""Pages of HTML that a browser opens without a server or a network."""

"""A configuration held against the machine and the services it names, before a run needs them."""

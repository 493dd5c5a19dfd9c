"""Pages for people, in the process of the API: what it answers, drawn."""

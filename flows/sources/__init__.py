"""Where records come from: files and the generator."""

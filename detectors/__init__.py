"""Mathematics of drift: arrays in, readings out."""

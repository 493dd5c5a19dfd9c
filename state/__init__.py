"""Time and memory: watermarks, panes, windows, references, events and the stores they rest in."""

"""Mergeable summaries of one column in one pane."""

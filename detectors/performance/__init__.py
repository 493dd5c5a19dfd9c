"""Mathematics of a model's performance: metrics with intervals from sums that merge."""

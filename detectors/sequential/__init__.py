"""Evidence over time: e-values of blocks, e-detectors that add them up, a budget of false alarms."""

"""The commands of driftflow, one file each."""

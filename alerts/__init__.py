"""From a drift event to a person or a job: policy, channels, retraining."""

"""Asterisk, by its manager interface (AMI) for queues and by ARI for calls."""

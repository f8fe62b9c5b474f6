"""Recorded calls: to find one and hear it, to hold it or hand it over, and who listens to whom."""

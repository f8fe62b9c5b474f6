"""Carries the stations on serial cables to the broker. It keeps nothing."""

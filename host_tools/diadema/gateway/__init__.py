"""Carries stations on serial cables to the broker, and stores nothing."""

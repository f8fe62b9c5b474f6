"""Stations as things: what is known of each, and what a technician does with them."""

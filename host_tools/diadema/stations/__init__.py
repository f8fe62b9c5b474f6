"""Stations as devices: boards, images, flashing, provisioning, self-tests, updates, fleet."""

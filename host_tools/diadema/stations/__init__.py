"""Stations as things: boards, images, flashing, provisioning, self-tests, updates, labels, the fleet."""

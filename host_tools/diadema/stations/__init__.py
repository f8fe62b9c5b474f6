"""Stations as things: boards, images, flashing, provisioning, self-tests, updates, labels and
the fleet."""

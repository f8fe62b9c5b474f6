"""All tests; what they share is `tests.support`."""

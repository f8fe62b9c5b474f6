"""Events in, rows out, each exactly once; it knows no network."""

"""Work on a store at rest: rebuild, checks of its records, personal data."""

"""Work on a store at rest: rebuild, and personal data."""

"""The page of the telephone exchange: whether its bridge runs, and what is not as it should be."""

"""The pages of faults: tickets as they are now, one opened, and what is done about it."""

"""Reports by kind, their formats, and their schedules."""

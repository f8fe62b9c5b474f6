"""Attendance: its page, and the corrections and justifications of marks."""

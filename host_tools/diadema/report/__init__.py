"""Figures of a day, a week or a month, the same on the screen and for a script."""

"""The monitor's work in figures: which calls are drawn, and what evaluations say."""

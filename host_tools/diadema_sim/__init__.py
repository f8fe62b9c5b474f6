"""Simulated stations: the real firmware in the MicroPython VM on `boards/sim`, and their world."""

"""Writes stations' flash over the cable, several boards side by side, with esptool as a library.
What is right already is not written again, and the journal is never written at all.
"""

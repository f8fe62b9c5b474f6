"""Runs before `main.py` on every start. Nothing needs to be there earlier yet: drivers are made,
and the journal is mounted, by `main.py` alone.
"""

"""The torture bench: seeded campaigns that cut, flip, kill, fill and turn back whatever they can,
then ask whether each journaled event is stored exactly once. `campaigns.py` is the way in.
"""

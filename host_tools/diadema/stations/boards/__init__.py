"""The boards as people meet them: proof of their tables, and drawings of their wiring.

Reads `boards/NAME/`; nothing of it is ever imported or run, since it is code of the station.
"""

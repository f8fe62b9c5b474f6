"""The web: the live floor, the public wall and the API, in a process of its own.

`diadema hub` starts it as `python -m diadema.web`. It learns everything from NATS and stores
nothing.
"""

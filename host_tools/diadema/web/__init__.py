"""The pages, the API and the live streams, in a process of its own.

`diadema hub` starts it as `python -m diadema.web`. It learns everything from NATS and stores
nothing.
"""

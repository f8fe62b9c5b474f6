"""Every figure worked out a second time, in plain Python, from what Diadema gives out and from the
definitions alone. Nothing here imports `diadema`: what it has wrong is not wrong here for the same
reason. One file a family of figures; `raw` reads what they are made from.
"""

"""What Ley 29733 asks for: everything kept of a person, to hand over; and its erasure after its
time, with a record of it.
"""

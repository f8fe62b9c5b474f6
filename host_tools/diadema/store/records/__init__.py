"""Records that prove: the audit of who read what, and the ledger of attendance. Each is a chain
under a key outside its file, and how long it is and where it ends stands in the other file too.
"""

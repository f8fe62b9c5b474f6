"""Images of a station's flash: built from a stock MicroPython image, our partition table and the
firmware, and read back. Nothing of them is ours but the table and the files.
"""

"""A site's people, places and station configuration: the directory is the one truth."""

"""A site's people, places and station configuration: the directory, and `site.json` as its import and export."""

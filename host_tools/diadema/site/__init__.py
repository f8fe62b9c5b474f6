"""A site's people, places and station configuration: the directory; `site.json` is its
import and export."""

"""Reports of any span and scope, and the pages that draw handling times and dispositions."""

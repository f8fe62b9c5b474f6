"""What every room may use: errors, paths, locks, clocks, credentials, TLS and processes."""

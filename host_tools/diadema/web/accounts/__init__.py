"""Accounts: logging in, one's own account, the administrators' page and the audit log."""

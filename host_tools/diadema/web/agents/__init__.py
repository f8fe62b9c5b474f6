"""One agent's day, and the ledgers: contacts, sessions and attendance marks."""

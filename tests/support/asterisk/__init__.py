"""What was recorded of an Asterisk, and how it is played again."""

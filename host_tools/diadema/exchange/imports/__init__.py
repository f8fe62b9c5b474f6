"""What other systems have written, taken in as events of the switch."""

"""Other systems: call logs in, queue_log and CloudEvents out."""

"""Other systems: call logs and journals in, queue_log and CloudEvents out."""

"""Jobs: the queue, the process of each, what it reports."""

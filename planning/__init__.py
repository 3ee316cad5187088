"""Planning without an engine: records what a stack's program registers, and reads plans, checks and diffs from that."""

"""What is no longer valid before its time, and how every replica learns it."""

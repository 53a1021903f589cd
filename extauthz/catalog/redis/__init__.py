"""The catalog in a Redis: how it is written down and proven, read, and changed."""

"""Token facts, kept in process and in a Redis that replicas share."""

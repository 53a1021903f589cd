"""How a Redis or Valkey is reached: one server, one that sentinels watch, or a cluster."""

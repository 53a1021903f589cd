"""What Envoy does towards a replica, for whoever wants to know its answer."""

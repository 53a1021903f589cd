"""OAuth2 key management behind Envoy."""

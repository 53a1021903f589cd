"""The built-in key manager: an OAuth 2.0 authorization server of its own process."""

"""`extauthz check`: asks as Envoy asks, and explains the answer."""

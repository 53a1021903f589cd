"""The token that tells the upstream who called."""

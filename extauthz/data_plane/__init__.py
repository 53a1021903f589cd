"""The composition root of `extauthz serve`: puts everything together and runs it."""

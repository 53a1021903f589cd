"""`extauthz demo`: the whole system on loopback, as child programs."""

"""`extauthz envoy-config`: what belongs into Envoy's configuration, with the reasons."""

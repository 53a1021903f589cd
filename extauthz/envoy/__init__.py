"""The only room that knows gRPC and Envoy's messages."""

"""Raw HTTP ext_authz, for proxies that do not ask by gRPC."""

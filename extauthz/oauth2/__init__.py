"""The mechanics of OAuth 2.0 and JOSE, without a product word."""

"""`extauthz config`: settings and catalogs as files."""

"""Several processes that answer Checks on one address, and the one that watches over them."""

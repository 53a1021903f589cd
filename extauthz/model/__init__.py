"""The vocabulary of the service: frozen values, standard library only."""

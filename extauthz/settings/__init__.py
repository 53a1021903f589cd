"""Settings of a process: one YAML file, checked as a whole; every limit has a unit and a default with its reason."""

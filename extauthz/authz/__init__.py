"""May they: pure functions over the model."""

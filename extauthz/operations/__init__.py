"""HTTP for operators: health, metrics, settings, the catalog, revocations, and the keys of the backend JWT."""

"""HTTP for operators: health, readiness, the backend JWT's keys, revocations."""

"""What the data plane knows about key managers, APIs, applications and subscriptions."""

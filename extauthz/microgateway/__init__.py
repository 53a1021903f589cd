"""WSO2 API Microgateway's configuration, read and written as ours (seeds 000 and 003)."""

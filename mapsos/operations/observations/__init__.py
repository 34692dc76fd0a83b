"""Select, limit, stream and summarize observations."""

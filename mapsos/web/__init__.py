"""HTTP and its log as values: messages, compression, entity tags, proxies, metrics. Nothing here knows a map."""

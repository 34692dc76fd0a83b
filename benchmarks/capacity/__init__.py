"""How many processors, workers and replicas a site needs: a queueing model, its times, and its check."""

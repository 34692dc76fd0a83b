"""What a layer of the map means and what its data show."""

"""Layers of the map: the meaning of their columns, and facts about their data."""

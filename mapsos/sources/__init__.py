"""Rows of a LAYER from whatever GDAL/OGR reads, as Arrow batches: opening, selecting, pushing down, reprojecting."""

"""The same requests to mapserv 8.0 and to mapsos, on the same maps and data, and their answers side by side."""

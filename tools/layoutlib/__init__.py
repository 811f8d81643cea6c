"""What a server's keep looks like, from the debug information of its program: see tools/layout."""

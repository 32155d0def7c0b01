"""Orders of other systems, read, checked and written."""

"""Orders in the form of Ecwid's API, of any age."""

"""Resources as they are planned, turned into who can reach whom."""

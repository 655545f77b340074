"""The frozen model of a topology file."""

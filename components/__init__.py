"""Which real resource carries each document: one folder for each layer, outside in, and contracts between them."""

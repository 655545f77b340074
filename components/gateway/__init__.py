"""The API gateway layer: who clients are, how often they may ask, which version they get. One folder for each product."""

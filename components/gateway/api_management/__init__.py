"""Azure API Management as the API gateway, in a virtual network."""

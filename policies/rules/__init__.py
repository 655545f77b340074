"""One rule a file; `policies.registry` lists them."""

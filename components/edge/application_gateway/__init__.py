"""Azure Application Gateway with its web application firewall as the edge."""

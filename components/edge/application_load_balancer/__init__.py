"""AWS Application Load Balancer with its web application firewall as the edge."""

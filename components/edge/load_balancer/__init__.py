"""nginx of the cluster behind a public load balancer of Azure, which passes connections on and reads none."""

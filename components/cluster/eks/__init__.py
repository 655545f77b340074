"""Amazon EKS as the cluster, with the network around it."""

"""What the layers of an AWS environment share: settings, names, addresses, flows, rights, logs."""

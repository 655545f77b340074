"""What the layers of an Azure environment share: settings, names, addresses, rights, diagnostics."""

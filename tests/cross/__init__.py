"""Plans of one topology, judged against another that differs in a single field."""

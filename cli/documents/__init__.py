"""Documents that follow from code: the reference of topology and stack files, and the lists of documents."""

"""What a planned stack costs in a month, as far as its resources say: a small price table, read against their SKUs and numbers.

An estimate says what it does not count. A SKU without a price, and a kind of resource that nobody has sorted, are gaps: said, never zero.
"""

"""Everything we hold about one person: copied on request, erased on request, and forgotten when its time is over.

Others call `copying.copy_of`, `erasing.erase` and `retention.sweep`.
"""

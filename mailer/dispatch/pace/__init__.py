"""How fast, and when: buckets, providers, places, sending hours."""

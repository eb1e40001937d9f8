"""Blocks with hints → masthead, contents, articles, colophon: one path for every file format."""

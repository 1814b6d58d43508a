"""Shows what was found: words, tables, JUnit XML, pictures, files.

Everything here reads `parity.results` and decides nothing. No engine and no framework is imported,
so that results kept on one machine can be shown on another.
"""

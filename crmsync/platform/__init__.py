"""How the product is installed, started, kept running and stopped on one machine.

Knows processes, folders and ports; nothing of Django's models. What runs before the
virtual environment exists (`bootstrap`, `console`, `venv`, `datadir`, `ports`) uses the
standard library alone.
"""

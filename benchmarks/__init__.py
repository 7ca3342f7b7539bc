"""Benchmarks: the library side by side with its peers, in one command.

``python -m benchmarks`` runs every case and writes the page; ``--help`` tells the rest. Peers are
optional (``pip install 'ibn[bench]'``): one that is missing is left out, and the page says so.
"""

"""The ledger: every claim of the theory, decided by computation.

A claim is one function that builds it (``p1``, ``e4`` …) in a module of its own subject; each
folder lists its ``CLAIMS`` and their ``MUTANTS``, wrong variants that must fail. ``macro`` holds
M1 to M4, ``paths`` P1 to P4, ``rates`` P5 to P9 and ``exact`` E1 to E5. What they share stands
beside the folders, and ``ledger`` runs them all.
"""

"""The ledger: every claim of the theory, decided by computation.

A claim is one function that builds it (``p1``, ``e4`` …) in a module of its own subject: its
readings, and the checks of each. Each folder lists its ``CLAIMS`` and their ``MUTANTS``, wrong
variants with the check that must notice. ``macro`` holds M1 to M4, ``paths`` P1 to P4, ``rates`` P5
to P9, ``exact`` E1 to E6 and ``instruments`` T0, what the ledger measures with. What they share
stands beside the folders; ``ledger`` runs them all and keeps the record, ``mutants`` breaks claims
and library to see that the checks can fail.
"""

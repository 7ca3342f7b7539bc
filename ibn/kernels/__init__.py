"""Compiled kernels: arrays in, arrays out, no objects, no input or output.

Compiled code is cached beside these files, or in ``NUMBA_CACHE_DIR``. Each kernel has a naive
twin in ``tests/``.
"""

"""Figures and the report: results in, pictures and pages out."""

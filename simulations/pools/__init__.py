"""Topologies decided on pools of responses that are scored already: lay out, label, fit, choose."""

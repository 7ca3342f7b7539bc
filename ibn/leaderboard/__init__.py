"""Leaderboards of few items from many battles: rewards, intervals, probes, and what to buy next."""

from ibn.leaderboard.battles import Battles
from ibn.leaderboard.board import Leaderboard, rank

__all__ = ["Battles", "Leaderboard", "rank"]

"""Chain against tree on real tasks: prompts → grow → judge → reward model → policy → win rates."""

"""What the paper reports of its experiments, for tables and figures that put ours beside it.

7B models; win rates by PPO policies, judged by a language model (Table 3); what an annotator reads
(Table 4).
"""

from __future__ import annotations

TASKS = {"hh": "HH-RLHF", "gsm8k": "GSM-8K", "dialogsum": "DialogSum"}
"""Names of the tasks, by what ``ibn validate`` calls them."""

WINS: dict[tuple[str, str], dict[str, float]] = {
    ("tree", "chain"): {"hh": 0.74, "gsm8k": 0.63, "dialogsum": 0.58},
    ("tree", "base"): {"hh": 0.78, "gsm8k": 0.65, "dialogsum": 0.66},
    ("chain", "base"): {"hh": 0.72, "gsm8k": 0.57, "dialogsum": 0.58},
}
"""Win rates by (policy, against) and task; ``base`` is the supervised model."""

READ: dict[str, dict[str, float]] = {
    "chain": {"hh": 427.0, "gsm8k": 324.9, "dialogsum": 152.0},
    "tree": {"hh": 315.5, "gsm8k": 244.9, "dialogsum": 151.2},
}
"""Mean length that an annotator reads, in tokens; the tree's without the shared prefix."""

"""What the page on pools of responses says in words alone."""

INTRO = """# Topologies on real responses

The paper reports that a reward model of a tree's 20,000 pairs beats one of a chain's in 0.74,
0.63 and 0.58 of the cases. Its models and labels are not public. Pools of responses that are
scored already decide the same question at that size without a GPU: any topology can be laid
over them, labelled at any noise, and what is learnt held against scores of prompts that nobody
trained on.

```sh
ibn validate --pool scored.jsonl --out decided
```

takes your own (`prompt`, `response`, `score`; `--column` and `--score` map other names), prints
every table of this page for it, and goes on where it was interrupted. This page is written by
`python -m ibn.simulations.pools.pool_page` from what the commands below printed. Every interval
is 95 %, over seeds and prompts together, and holds for all numbers of its table at once;
differences between topologies are paired.
"""

READS = """\
`minilm-….npy` has the all-MiniLM-L6-v2 embeddings of prompt and response (`given`; `--features
minilm=MODEL` makes them). `tfidf` and `given` are the 64 leading directions of an embedding's
variation within prompts and a dozen plain counts (length, lines, marks, similarity to the
siblings and to the prompt); `plain` is the counts alone, a trivial rule for features;
`tfidf-gp` is a Gaussian process on the first. The first of the list sees every number of labels
and every question, the others n = 1,000 and the ceiling. Hidden states of a language model and
a neural head were left out for want of a GPU.

Names: `tree-few`, `-half`, `-n`, `-2n` reuse |S| = n/log n, n/2, n and 2n responses, spread
over prompts as two a prompt allow; `-grouped` fills prompt after prompt. `anchor` compares one
response of every prompt with others; `star` one with all others of its prompt, prompt after
prompt; `expander` two cycles through all responses of a prompt; `kwise` all pairs of four fresh
ones; `prompts/k` is the chain on one of k prompts. `own` draws one rating of each side where
identical responses were rated more than once, by whoever rated them.
"""

LEARNERS = """\
Log loss above that of the best penalty on the test prompts (`oracle`, which nobody has): chosen
by `evidence` (what `RewardModel` does), by cross-validation over prompts (`cv`), with a
variance of each response's own fitted by evidence (`own`), and the same by cross-validation
(`own-cv`).
"""

COVERED = """\
On pools made by simulation, where the truth is known, intervals of pair accuracy and of win rates
cover as they should. Those of log loss cover less where a tree has few leaves: now and then such a
fit is far off, so that its loss is skewed and a few seeds do not show how far; read log losses of
`tree-few` with that in mind. Other code (scikit-learn, features of its own) stays within two
standard errors on one setting of each pool.
"""

FINITE = """## What a pool can represent of the paper's chain and tree, and what not

- **Fresh pairs run out.** A prompt with K responses has K/2 fresh pairs. Beyond that the chain
  of this page uses responses again, no pair twice before all were used once; the words-read and
  responses columns show how far that went. A pool of 24,389 responses has 12,000 fresh pairs at
  most, and at 20,000 labels its chain has used nearly every training response twice.
- **Leaves are not grown.** The paper's tree is a branching process: siblings share a prefix and
  are nearer to each other than two samples are. Here leaves are finished responses of different
  models; `-grouped` keeps them within few prompts, but no prefix is shared, so what shared
  prefixes do to the differences that a label is about is not in these numbers.
- **Within a prompt.** The theory's pairs are of any two responses. Annotators compare answers
  to one question, so an independent leaf that is alone under its prompt could not be compared;
  leaves come two a prompt at least. The `across` tables drop that.
- **Reading.** An annotator of a tree reads what follows the common prefix. Without prefixes
  only distinct texts can be counted: the words-read column counts each prompt and response
  once, which is what reuse saves at best.
- **The policy.** Best of N among a pool's responses stands for decoding; no model is trained to
  follow a reward model, and the judge of win rates is the pool's score itself.
- **Splits share a pool.** Seeds draw prompts anew from one pool. What another pool of prompts
  would give varies more than its seeds do; the coverage above is of fresh pools, and says how
  much of that the intervals hold.
"""

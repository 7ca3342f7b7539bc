"""The machine-checked proofs as a page of the documentation, ``docs/machine_checked.md``."""

from __future__ import annotations

from ibn.proofs_check import ledger
from ibn.proofs_check.claim import Claim
from ibn.proofs_check.formal_build import TRUSTED
from ibn.proofs_check.machine_checked import Checked, Theorem

HEAD = """\
# What a machine has checked

Written by `python -m ibn.proofs_check.formal_build --page docs/machine_checked.md` from the record that
building the proofs leaves; do not edit.

A proof that Coq accepts is a proof: one does not need to read it, only to read what it is a proof *of*.
So this page gives, for each claim of [the ledger](claims.md) that has such proofs, the theorem in words,
as a formula, and as Coq states it; what is refuted, for a statement that cannot be false says nothing;
and what of the claim **no machine has checked**. That part rests on
[the written proofs](proofs/index.md) and on the ledger's computations, as before.

The sources are `proofs_check/formal/*.v` in the repository.
`python -m ibn.proofs_check.formal_build` compiles them and says in what the result differs from what is
shown here; `coq_makefile -f _CoqProject -o Makefile` in their folder makes a Makefile for reading them in
an editor.
"""

OBJECTS = r"""
## The objects

All spaces are finite, all numbers real, and all sums run over lists.

| object | definition | in Coq |
| --- | --- | --- |
| network | a list of edges, each with two ends and a variance $\sigma_e^2$; edges may be parallel | `network`, `positive`: every $\sigma_e^2>0$ |
| path, its length | a sequence of edges, each walked either way, that begins where the one before ended; $\sum_e\sigma_e^2$ | `walk`, `length` |
| inference distance $d(x,y)$ | greatest lower bound of the lengths of the walks from $x$ to $y$ | `distance` |
| unit flow from $a$ to $b$ | $f$ with $\sum_ef_e\,(h_{s(e)}-h_{t(e)})=h_a-h_b$ for every function $h$ on the nodes: current enters at $a$, leaves at $b$ and is kept elsewhere | `unit_flow` |
| energy of a flow | $\sum_e\sigma_e^2f_e^2$ | `energy` |
| effective resistance $R(a,b)$ | $h_a-h_b$ for a potential $h$ whose current $(h_{s(e)}-h_{t(e)})/\sigma_e^2$ is a unit flow from $a$ to $b$ | `resistance` |
| star | a hub, and representatives each of which is the hub or compared with it, at $\sigma^2$ | `star` |
| finite hierarchy | $B^K$ leaves; the edge from depth $j$ up to $j-1$ has variance $(g(j-1)-g(j))/2$, where $g(K)$ is replaced by 0; two leaves whose deepest common ancestor is at depth $j<K$ are at $d_{IB}=g(j)$; $n$ further edges, of variance $\sigma^2$, between any leaves | `world` |
| power family, $F$ | $g(j)=I B^{-\alpha j}$, $F(M)=\kappa I M^{-\alpha}$, $\kappa=(1-1/B)/(1-B^{-1-\alpha})$ | `power_family`, `F` |
| $p_H$, $p_\mathrm{LM}$ | $e^{\beta r(y)}/\sum_ze^{\beta r(z)}$ with $r=r_H$ and $r=r_\mathrm{RM}$ | `gibbs` |
| expectation, variance, independence | weighted sums over outcomes; $\mathbb P(X=x,Y=y)=\mathbb P(X=x)\,\mathbb P(Y=y)$ for all values | `expectation`, `var`, `independent` |
"""

OPEN = {
    "P1": "Logistic steps as such: their variance $\\tfrac{\\pi^2}{3}s^2$ is an integral over the line, "
    "and Coq has additivity on finite spaces. That the steps along a path *are* independent is the "
    "claim's assumption.",
    "E1": "That a conditional of a Gaussian density is what it is in every textbook: Coq has what the "
    "posterior rests on, the least value of the quadratic loss among rewards with a given difference, "
    "and the least variance of an unbiased linear estimate, and shows that both are $R$.",
    "E4": "The infinite hierarchy, of which these are the finite ones of every depth; the two slower "
    "families' constants, beyond the bound by $g(k-1)/8$, which holds for every falling $g$; labels "
    "chosen after earlier ones were seen; L6's greater constant; that the bound is attained.",
    "E5": "That stars beat the paper's tree by $(\\log n)^\\alpha$, the expander, and how small "
    "$\\sigma^2$ must be.",
    "M4": "That posterior variance is what the second order averages, for a calibrated model (measured "
    "by the ledger), and response spaces that are not finite.",
}


def markdown(found: Checked) -> str:
    """Render the record of a build."""
    builders = ledger.claims()
    claims = [builders[name]() for name in builders if any(_about(found, name))]
    lines = [HEAD, *_summary(found, claims), *_trusted(found), OBJECTS.rstrip()]
    for claim in claims:
        lines += _section(found, claim)
    return "\n".join(lines) + "\n"


def _about(found: Checked, claim: str) -> list[Theorem]:
    return [one for one in found.theorems if one.claim == claim]


def _proved(found: Checked, claim: Claim) -> dict[str, bool]:
    """Whether each check of a claim has a theorem."""
    named = {name for one in _about(found, claim.id) for name in one.checks}
    return {check.name: check.name in named for check in claim.checks}


def _summary(found: Checked, claims: list[Claim]) -> list[str]:
    lines = [
        f"On record: Coq {found.coq}, {len(found.theorems)} theorems, of which "
        f"{sum(bool(one.mutant) for one in found.theorems)} refute a mutant; {len(found.sources)} "
        f"sources of {sum(found.lines.values())} lines, compiled in {found.seconds:.0f} s.",
        "",
        "| claim | checks that a machine has proved | checks that none has |",
        "| --- | --- | --- |",
    ]
    for claim in claims:
        proved = _proved(found, claim)
        cells = [
            "; ".join(name for name, done in proved.items() if done is wanted) or "none"
            for wanted in (True, False)
        ]
        lines.append(f"| [{claim.id}](#{claim.id.lower()}) | {cells[0]} | {cells[1]} |")
    rest = [name for name in ledger.claims() if name not in {claim.id for claim in claims}]
    return [*lines, "", f"No machine has checked anything of {', '.join(rest)}."]


def _trusted(found: Checked) -> list[str]:
    """Say what Coq was asked to take on trust, and by how many theorems."""
    lines = [
        "",
        "## What is taken on trust",
        "",
        "Coq's kernel, and axioms of its library of classical real numbers, as `Print Assumptions` lists "
        "them. A theorem that rested on anything else would fail the build.",
        "",
        "| axiom | says | theorems |",
        "| --- | --- | --- |",
    ]
    for name, meaning in TRUSTED.items():
        used = sum(name in one.axioms for one in found.theorems)
        lines.append(f"| `{name}` | {meaning} | {used} of {len(found.theorems)} |")
    return lines


def _section(found: Checked, claim: Claim) -> list[str]:
    """Write what is proved, refuted and open of one claim."""
    lines = ["", f"## {claim.id}", "", f"The ledger's claim: {claim.statement}"]
    lines += ["", f"$$ {claim.latex} $$"]
    about = _about(found, claim.id)
    for one in about:
        if not one.mutant:
            proves = f" Proves the ledger's {_listed(one.checks)}." if one.checks else ""
            lines += ["", f"**`{one.name}`** ({one.file}). {one.says}{proves}", *_stated(one)]
    lines += ["", f"### What is refuted of {claim.id}"]
    for one in about:
        if one.mutant:
            lines += ["", f"Mutant: *{one.mutant}*. {one.says}", *_stated(one)]
    left = [name for name, done in _proved(found, claim).items() if not done]
    lines += ["", f"### What no machine has checked of {claim.id}", "", OPEN[claim.id]]
    if left:
        lines[-1] += f" The ledger's {_listed(left)} stand on its own computations."
    return lines


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ("check " if len(names) == 1 else "checks ") + ", ".join(f"“{name}”" for name in names)


def _stated(one: Theorem) -> list[str]:
    return [
        "",
        f"$$ {one.tex} $$",
        "",
        "```coq",
        *f"Theorem {one.name} :\n{one.statement}.".splitlines(),
        "```",
    ]

(** M4 to second order: the loss is half the variance of βΔ, with its remainder. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Divergence.
Import ListNotations.
Open Scope R_scope.

Lemma lim_is f x l l' : derivable_pt_lim f x l -> l = l' -> derivable_pt_lim f x l'.
Proof. now intros H <-. Qed.

Section Cumulants.
Context {Y : Type}.
Variables (responses : list Y) (p X : Y -> R) (a b : R).
Hypothesis D : distribution responses p.
Hypothesis H : forall y, In y responses -> a <= X y <= b.
Hypothesis AB : a < b.
Let w := b - a.
Let E := expect responses.

Definition moment (k : nat) (s : R) : R := E p (fun y => X y ^ k * exp (s * X y)).

Lemma moment_derivative k s : derivable_pt_lim (moment k) s (moment (S k) s).
Proof.
  unfold moment, E, expect. clear. induction responses as [|y l IH].
  - simpl. apply derivable_pt_lim_const.
  - change (derivable_pt_lim (fun s => p y * (X y ^ k * exp (s * X y))
      + sum l (fun y => p y * (X y ^ k * exp (s * X y)))) s
      (p y * (X y ^ S k * exp (s * X y)) + sum l (fun y => p y * (X y ^ S k * exp (s * X y))))).
    apply (derivable_pt_lim_plus (fun s => p y * (X y ^ k * exp (s * X y)))
      (fun s => sum l (fun y => p y * (X y ^ k * exp (s * X y))))); [|exact IH].
    apply (lim_is _ _ (p y * (X y ^ k * (exp (s * X y) * X y)))); [|simpl; ring].
    apply (derivable_pt_lim_scal (fun s => X y ^ k * exp (s * X y)) (p y)).
    apply (derivable_pt_lim_scal (fun s => exp (s * X y)) (X y ^ k)).
    apply (derivable_pt_lim_comp (fun s => s * X y) exp); [|apply derivable_pt_lim_exp].
    apply (derivable_pt_lim_ext (fun s => X y * s)); [intros; ring|apply linear_derivative].
Qed.

Lemma moment_pos s : 0 < moment 0 s.
Proof.
  pose proof (expect_exp responses p (fun y => s * X y) D) as J. pose proof (exp_pos
    (expect responses p (fun y => s * X y))).
  assert (moment 0 s = expect responses p (fun y => exp (s * X y))) as ->; [|lra].
  unfold moment, E, expect. apply sum_ext. intros. simpl. ring.
Qed.

(** Moments under p tilted by exp(s X). *)
Definition ratio (k : nat) (s : R) : R := moment k s / moment 0 s.

Lemma ratio_derivative k s :
  derivable_pt_lim (ratio k) s (ratio (S k) s - ratio k s * ratio 1 s).
Proof.
  pose proof (moment_pos s). unfold ratio.
  apply (lim_is _ _ ((moment (S k) s * moment 0 s - moment 1 s * moment k s) / Rsqr (moment 0 s))).
  - apply (derivable_pt_lim_div (moment k) (moment 0)); try apply moment_derivative. lra.
  - unfold Rsqr. field. lra.
Qed.

Definition tilted (s : R) (y : Y) : R := p y * exp (s * X y) / moment 0 s.

Lemma tilted_moment k s : E (tilted s) (fun y => X y ^ k) = ratio k s.
Proof.
  unfold ratio, moment, Rdiv. rewrite Rmult_comm. unfold E, expect. rewrite <- sum_scal.
  apply sum_ext. intros. unfold tilted, Rdiv, moment, E, expect. ring.
Qed.

Lemma tilted_distribution s : distribution responses (tilted s).
Proof.
  pose proof (moment_pos s) as M. split.
  - intros y I. apply Rmult_le_pos; [|left; now apply Rinv_0_lt_compat].
    apply Rmult_le_pos; [now apply D|left; apply exp_pos].
  - transitivity (E (tilted s) (fun y => X y ^ 0)).
    + unfold E, expect. apply sum_ext. intros. simpl. ring.
    + rewrite tilted_moment. unfold ratio. field. lra.
Qed.

Definition variance_at (s : R) : R := ratio 2 s - ratio 1 s ^ 2.
Definition skewness_at (s : R) : R := ratio 3 s - 3 * ratio 1 s * ratio 2 s + 2 * ratio 1 s ^ 3.

Lemma mean_inside s : a <= ratio 1 s <= b.
Proof.
  pose proof (tilted_distribution s) as T. rewrite <- (tilted_moment 1 s).
  rewrite <- (expect_const responses (tilted s) a T) at 1.
  rewrite <- (expect_const responses (tilted s) b T). unfold E.
  split; apply expect_le; auto; intros y I; specialize (H y I); simpl; lra.
Qed.

Lemma variance_central s : variance_at s = E (tilted s) (fun y => (X y - ratio 1 s) ^ 2).
Proof.
  pose proof (tilted_distribution s) as T. set (m := ratio 1 s).
  transitivity (E (tilted s) (fun y => 1 * X y ^ 2 + (-2 * m) * X y ^ 1) + m ^ 2).
  - unfold E. rewrite (expect_linear responses (tilted s) 1 (-2 * m) (fun y => X y ^ 2)
      (fun y => X y ^ 1)). fold E. rewrite !tilted_moment. unfold variance_at. fold m. ring.
  - rewrite <- (expect_const responses (tilted s) (m ^ 2) T). unfold E, expect.
    rewrite <- sum_plus. apply sum_ext. intros. ring.
Qed.

Lemma skewness_central s : skewness_at s = E (tilted s) (fun y => (X y - ratio 1 s) ^ 3).
Proof.
  pose proof (tilted_distribution s) as T. set (m := ratio 1 s).
  transitivity (E (tilted s) (fun y => 1 * X y ^ 3 + (-3 * m) * X y ^ 2)
    + E (tilted s) (fun y => 3 * m ^ 2 * X y ^ 1 + (- m ^ 3) * X y ^ 0)).
  - unfold E.
    rewrite (expect_linear responses (tilted s) 1 (-3 * m) (fun y => X y ^ 3) (fun y => X y ^ 2)).
    rewrite (expect_linear responses (tilted s) (3 * m ^ 2) (- m ^ 3) (fun y => X y ^ 1)
      (fun y => X y ^ 0)). fold E. rewrite !tilted_moment. unfold skewness_at. fold m.
    replace (ratio 0 s) with 1; [ring|]. unfold ratio. field. pose proof (moment_pos s). lra.
  - unfold E, expect. rewrite <- sum_plus. apply sum_ext. intros. ring.
Qed.

Lemma variance_nonneg s : 0 <= variance_at s.
Proof.
  rewrite variance_central, <- (expect_const responses (tilted s) 0 (tilted_distribution s)).
  apply expect_le; [apply tilted_distribution|]. intros. apply pow2_ge_0.
Qed.

Lemma skewness_small s : - (w * variance_at s) <= skewness_at s <= w * variance_at s.
Proof.
  rewrite variance_central, skewness_central. pose proof (tilted_distribution s) as T.
  assert (Z : forall c, c * E (tilted s) (fun y => (X y - ratio 1 s) ^ 2)
    = E (tilted s) (fun y => c * (X y - ratio 1 s) ^ 2)).
  { intros c. unfold E, expect. rewrite <- sum_scal. apply sum_ext. intros. ring. }
  replace (- (w * E (tilted s) (fun y => (X y - ratio 1 s) ^ 2)))
    with (- w * E (tilted s) (fun y => (X y - ratio 1 s) ^ 2)) by ring.
  rewrite !Z. pose proof (mean_inside s) as M.
  split; apply expect_le; auto; intros y I; specialize (H y I);
    pose proof (pow2_ge_0 (X y - ratio 1 s));
    replace ((X y - ratio 1 s) ^ 3) with ((X y - ratio 1 s) * (X y - ratio 1 s) ^ 2) by ring;
    apply Rmult_le_compat_r; auto; unfold w; lra.
Qed.

Lemma variance_derivative s : derivable_pt_lim variance_at s (skewness_at s).
Proof.
  unfold variance_at. apply (lim_is _ _ (ratio 3 s - ratio 2 s * ratio 1 s
    - INR 2 * ratio 1 s ^ 1 * (ratio 2 s - ratio 1 s * ratio 1 s))).
  - apply (derivable_pt_lim_minus (ratio 2) (fun s => ratio 1 s ^ 2)).
    + apply ratio_derivative.
    + apply (derivable_pt_lim_comp (ratio 1) (fun x => x ^ 2)); [apply ratio_derivative|].
      apply derivable_pt_lim_pow.
  - unfold skewness_at. simpl. ring.
Qed.

Lemma exp_derivative c s : derivable_pt_lim (fun s => exp (c * s)) s (exp (c * s) * c).
Proof.
  apply (derivable_pt_lim_comp (fun s => c * s) exp); [apply linear_derivative|].
  apply derivable_pt_lim_exp.
Qed.

(** The variance under a tilt changes by a factor of exp(w s) at most. *)
Lemma variance_moves s : 0 <= s ->
  variance_at 0 * exp (- w * s) <= variance_at s <= variance_at 0 * exp (w * s).
Proof.
  intros S.
  assert (T : forall c x, derivable_pt_lim (fun x => variance_at x * exp (c * x)) x
    ((skewness_at x + c * variance_at x) * exp (c * x))).
  { intros c x. apply (lim_is _ _ (skewness_at x * exp (c * x) + variance_at x * (exp (c * x) * c))).
    - apply (derivable_pt_lim_mult variance_at (fun x => exp (c * x))).
      + apply variance_derivative.
      + apply exp_derivative.
    - ring. }
  assert (Up : 0 <= variance_at s * exp (w * s) - variance_at 0).
  { revert s S. apply (rising (fun x => variance_at x * exp (w * x) - variance_at 0)
      (fun x => (skewness_at x + w * variance_at x) * exp (w * x))).
    - rewrite Rmult_0_r, exp_0. ring.
    - intros x _. apply (lim_is _ _ ((skewness_at x + w * variance_at x) * exp (w * x) - 0)); [|ring].
      apply (derivable_pt_lim_minus (fun x => variance_at x * exp (w * x))
        (fun _ => variance_at 0)); [apply T|apply derivable_pt_lim_const].
    - intros x _. pose proof (skewness_small x). apply Rmult_le_pos; [lra|left; apply exp_pos]. }
  assert (Down : 0 <= variance_at 0 - variance_at s * exp (- w * s)).
  { revert s S Up. intros s S _. revert s S.
    apply (rising (fun x => variance_at 0 - variance_at x * exp (- w * x))
      (fun x => - ((skewness_at x + - w * variance_at x) * exp (- w * x)))).
    - rewrite Rmult_0_r, exp_0. ring.
    - intros x _. apply (lim_is _ _ (0 - (skewness_at x + - w * variance_at x) * exp (- w * x)));
        [|ring].
      apply (derivable_pt_lim_minus (fun _ => variance_at 0)
        (fun x => variance_at x * exp (- w * x))); [apply derivable_pt_lim_const|apply T].
    - intros x _. pose proof (skewness_small x) as K. pose proof (exp_pos (- w * x)).
      assert (0 <= (w * variance_at x - skewness_at x) * exp (- w * x))
        by (apply Rmult_le_pos; lra). lra. }
  pose proof (exp_pos (w * s)) as P. pose proof (exp_pos (- w * s)) as P'.
  assert (Q : exp (w * s) * exp (- w * s) = 1).
  { rewrite <- exp_plus. replace (w * s + - w * s) with 0 by ring. apply exp_0. }
  split.
  - apply (Rmult_le_reg_r (exp (w * s))); auto. rewrite Rmult_assoc, (Rmult_comm (exp (- w * s))), Q.
    lra.
  - apply (Rmult_le_reg_r (exp (- w * s))); auto. rewrite Rmult_assoc, Q. lra.
Qed.

Definition cumulant (s : R) : R := ln (moment 0 s) - ratio 1 0 * s.

Lemma cumulant_derivative s : derivable_pt_lim cumulant s (ratio 1 s - ratio 1 0).
Proof.
  unfold cumulant. apply (derivable_pt_lim_minus (fun s => ln (moment 0 s)) (fun s => ratio 1 0 * s)).
  - apply (lim_is _ _ (/ moment 0 s * moment 1 s)).
    + apply (derivable_pt_lim_comp (moment 0) ln); [apply moment_derivative|].
      apply derivable_pt_lim_ln, moment_pos.
    + unfold ratio, Rdiv. ring.
  - apply linear_derivative.
Qed.

(** How far the loss is from a function with the second derivative V exp(c s). *)
Lemma second_order_side c sg : c <> 0 -> (sg = 1 \/ sg = -1) ->
  (forall s, 0 <= s -> 0 <= sg * (variance_at 0 * exp (c * s) - variance_at s)) ->
  forall s, 0 <= s -> 0 <= sg * (variance_at 0 * ((exp (c * s) - 1 - c * s) / c ^ 2) - cumulant s).
Proof.
  intros C G Hv.
  assert (First : forall s, 0 <= s ->
    0 <= sg * (variance_at 0 * ((exp (c * s) - 1) / c) - (ratio 1 s - ratio 1 0))).
  { apply (rising _ (fun s => sg * (variance_at 0 * exp (c * s) - variance_at s))); auto.
    - rewrite Rmult_0_r, exp_0. field. auto.
    - intros x _. apply (derivable_pt_lim_scal
        (fun s => variance_at 0 * ((exp (c * s) - 1) / c) - (ratio 1 s - ratio 1 0)) sg).
      apply (derivable_pt_lim_minus (fun s => variance_at 0 * ((exp (c * s) - 1) / c))
        (fun s => ratio 1 s - ratio 1 0)).
      + apply (derivable_pt_lim_scal (fun s => (exp (c * s) - 1) / c) (variance_at 0)).
        apply (derivable_pt_lim_ext (fun s => / c * (exp (c * s) - 1))); [intros; field; auto|].
        apply (lim_is _ _ (/ c * (exp (c * x) * c - 0))); [|field; auto].
        apply (derivable_pt_lim_scal (fun s => exp (c * s) - 1) (/ c)).
        apply (derivable_pt_lim_minus (fun s => exp (c * s)) (fun _ => 1));
          [apply exp_derivative|apply derivable_pt_lim_const].
      + apply (lim_is _ _ (ratio 2 x - ratio 1 x * ratio 1 x - 0)); [|unfold variance_at; ring].
        apply (derivable_pt_lim_minus (ratio 1) (fun _ => ratio 1 0));
          [apply ratio_derivative|apply derivable_pt_lim_const]. }
  apply (rising _ (fun s => sg * (variance_at 0 * ((exp (c * s) - 1) / c)
    - (ratio 1 s - ratio 1 0)))); auto.
  - unfold cumulant. rewrite !Rmult_0_r, exp_0. replace (moment 0 0) with 1; [rewrite ln_1; field; auto|].
    unfold moment, E, expect. symmetry. destruct D as (_ & S). rewrite <- S. apply sum_ext. intros.
    rewrite Rmult_0_l, exp_0. simpl. ring.
  - intros x _. apply (derivable_pt_lim_scal
      (fun s => variance_at 0 * ((exp (c * s) - 1 - c * s) / c ^ 2) - cumulant s) sg).
    apply (derivable_pt_lim_minus (fun s => variance_at 0 * ((exp (c * s) - 1 - c * s) / c ^ 2))
      cumulant); [|apply cumulant_derivative].
    apply (derivable_pt_lim_scal (fun s => (exp (c * s) - 1 - c * s) / c ^ 2) (variance_at 0)).
    apply (derivable_pt_lim_ext (fun s => / c ^ 2 * (exp (c * s) - 1 - c * s)));
      [intros; field; auto|].
    apply (lim_is _ _ (/ c ^ 2 * (exp (c * x) * c - 0 - c))); [|field; auto].
    apply (derivable_pt_lim_scal (fun s => exp (c * s) - 1 - c * s) (/ c ^ 2)).
    apply (derivable_pt_lim_minus (fun s => exp (c * s) - 1) (fun s => c * s));
      [|apply linear_derivative].
    apply (derivable_pt_lim_minus (fun s => exp (c * s)) (fun _ => 1));
      [apply exp_derivative|apply derivable_pt_lim_const].
Qed.

Lemma cumulant_bounds s : 0 <= s ->
  variance_at 0 * ((exp (- w * s) - 1 - - w * s) / (- w) ^ 2) <= cumulant s <=
  variance_at 0 * ((exp (w * s) - 1 - w * s) / w ^ 2).
Proof.
  intros S. assert (W : w <> 0) by (unfold w; lra). split.
  - enough (0 <= -1 * (variance_at 0 * ((exp (- w * s) - 1 - - w * s) / (- w) ^ 2) - cumulant s))
      by lra. revert s S. apply second_order_side; auto; [lra|].
    intros s S. pose proof (variance_moves s S). lra.
  - enough (0 <= 1 * (variance_at 0 * ((exp (w * s) - 1 - w * s) / w ^ 2) - cumulant s)) by lra.
    revert s S. apply second_order_side; auto.
    intros s S. pose proof (variance_moves s S). lra.
Qed.

(** Half the mean squared difference of two independent responses is the variance. *)
Lemma pairs_variance :
  E p (fun y => E p (fun z => (X y - X z) ^ 2)) = 2 * variance_at 0.
Proof.
  assert (M0 : moment 0 0 = 1).
  { unfold moment, E, expect. destruct D as (_ & S). rewrite <- S. apply sum_ext. intros.
    rewrite Rmult_0_l, exp_0. simpl. ring. }
  assert (Mk : forall k, ratio k 0 = E p (fun y => X y ^ k)).
  { intros k. unfold ratio. rewrite M0. unfold moment, E, expect, Rdiv. rewrite Rinv_1, Rmult_1_r.
    apply sum_ext. intros. rewrite Rmult_0_l, exp_0. ring. }
  assert (In1 : forall y, E p (fun z => (X y - X z) ^ 2)
    = X y ^ 2 - 2 * ratio 1 0 * X y ^ 1 + ratio 2 0).
  { intros y. rewrite !Mk.
    transitivity (E p (fun z => -2 * X y * X z ^ 1 + 1 * X z ^ 2) + X y ^ 2).
    - rewrite <- (expect_const responses p (X y ^ 2) D). unfold E, expect. rewrite <- sum_plus.
      apply sum_ext. intros. ring.
    - unfold E. rewrite (expect_linear responses p (-2 * X y) 1 (fun z => X z ^ 1) (fun z => X z ^ 2)).
      ring. }
  transitivity (E p (fun y => 1 * X y ^ 2 + - (2 * ratio 1 0) * X y ^ 1) + ratio 2 0).
  - rewrite <- (expect_const responses p (ratio 2 0) D). unfold E, expect. rewrite <- sum_plus.
    apply sum_ext. intros y _. fold (expect responses p (fun z => (X y - X z) ^ 2)). fold E.
    rewrite In1. ring.
  - unfold E. rewrite (expect_linear responses p 1 (- (2 * ratio 1 0)) (fun y => X y ^ 2)
      (fun y => X y ^ 1)). fold E. rewrite <- !Mk. unfold variance_at. ring.
Qed.
End Cumulants.

Definition psi (x : R) : R := (exp x - 1 - x) / x ^ 2.

(** ψ differs from its limit 1/2 by a factor of exp(x) at most. *)
Lemma psi_above x : 0 < x -> 2 * psi x <= exp x.
Proof.
  intros P. assert (0 <= x ^ 2 * exp x / 2 - (exp x - 1 - x)).
  { assert (P' : 0 <= x) by lra. revert x P' P. intros x P' _. revert x P'.
    apply (rising (fun x => x ^ 2 * exp x / 2 - (exp x - 1 - x))
      (fun x => x ^ 2 * exp x / 2 + (exp x * (x - 1) + 1))).
    - rewrite exp_0. field.
    - intros x _. apply (lim_is _ _ (/ 2 * (INR 2 * x ^ 1 * exp x + x ^ 2 * exp x) - (exp x - 0 - 1)));
        [|simpl; field].
      apply (derivable_pt_lim_minus (fun x => x ^ 2 * exp x / 2) (fun x => exp x - 1 - x)).
      + apply (derivable_pt_lim_ext (fun x => / 2 * (x ^ 2 * exp x))); [intros; field|].
        apply (derivable_pt_lim_scal (fun x => x ^ 2 * exp x) (/ 2)).
        apply (derivable_pt_lim_mult (fun x => x ^ 2) exp);
          [apply derivable_pt_lim_pow|apply derivable_pt_lim_exp].
      + apply (derivable_pt_lim_minus (fun x => exp x - 1) (fun x => x)); [|apply derivable_pt_lim_id].
        apply (derivable_pt_lim_minus exp (fun _ => 1));
          [apply derivable_pt_lim_exp|apply derivable_pt_lim_const].
    - intros x X. pose proof (exp_tangent x 0) as T. rewrite exp_0 in T.
      assert (0 <= x ^ 2 * exp x) by (apply Rmult_le_pos; [apply pow2_ge_0|left; apply exp_pos]). lra. }
  unfold psi. apply (Rmult_le_reg_r (x ^ 2)); [apply pow_lt; auto|].
  replace (2 * ((exp x - 1 - x) / x ^ 2) * x ^ 2) with (2 * (exp x - 1 - x)) by (field; lra). lra.
Qed.

Lemma psi_below x : 0 < x -> exp (- x) <= 2 * psi (- x).
Proof.
  intros P. assert (0 <= (exp (- x) - 1 + x) - x ^ 2 * exp (- x) / 2).
  { assert (P' : 0 <= x) by lra. revert x P' P. intros x P' _. revert x P'.
    apply (rising (fun x => (exp (- x) - 1 + x) - x ^ 2 * exp (- x) / 2)
      (fun x => (1 - exp (- x) * (1 + x)) + x ^ 2 * exp (- x) / 2)).
    - rewrite Ropp_0, exp_0. field.
    - assert (Ex : forall x, derivable_pt_lim (fun x => exp (- x)) x (- exp (- x))).
      { intros x. apply (lim_is _ _ (exp (-1 * x) * -1)).
        - apply (derivable_pt_lim_ext (fun x => exp (-1 * x))); [intros; f_equal; ring|].
          apply exp_derivative.
        - replace (-1 * x) with (- x) by ring. ring. }
      intros x _. apply (lim_is _ _ ((- exp (- x) - 0 + 1)
        - / 2 * (INR 2 * x ^ 1 * exp (- x) + x ^ 2 * - exp (- x)))); [|simpl; field].
      apply (derivable_pt_lim_minus (fun x => exp (- x) - 1 + x) (fun x => x ^ 2 * exp (- x) / 2)).
      + apply (derivable_pt_lim_plus (fun x => exp (- x) - 1) (fun x => x)); [|apply derivable_pt_lim_id].
        apply (derivable_pt_lim_minus (fun x => exp (- x)) (fun _ => 1));
          [apply Ex|apply derivable_pt_lim_const].
      + apply (derivable_pt_lim_ext (fun x => / 2 * (x ^ 2 * exp (- x)))); [intros; field|].
        apply (derivable_pt_lim_scal (fun x => x ^ 2 * exp (- x)) (/ 2)).
        apply (derivable_pt_lim_mult (fun x => x ^ 2) (fun x => exp (- x)));
          [apply derivable_pt_lim_pow|apply Ex].
    - intros x X. pose proof (exp_tangent (- x) 0) as T. rewrite exp_0 in T.
      assert (0 <= x ^ 2 * exp (- x)) by (apply Rmult_le_pos; [apply pow2_ge_0|left; apply exp_pos]).
      replace (0 - - x) with x in T by ring. lra. }
  unfold psi. apply (Rmult_le_reg_r (x ^ 2)); [apply pow_lt; auto|].
  replace (2 * ((exp (- x) - 1 - - x) / (- x) ^ 2) * x ^ 2) with (2 * (exp (- x) - 1 + x))
    by (field; lra). lra.
Qed.

(** claim: M4
    check: second order
    says: On every finite response space, with x = β(max Δ - min Δ) > 0, the divergence over its
      second order (β²/4) E[(Δ(y) - Δ(y'))²] lies between 2ψ(-x) and 2ψ(x), where
      ψ(x) = (exp(x) - 1 - x)/x², and so between exp(-x) and exp(x).
    tex: e^{-x}\le2\psi(-x)\le\frac{\mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})}{\tfrac{\beta^2}4\,
      \mathbb E_{y,y'\sim p_H}\bigl[(\Delta(y)-\Delta(y'))^2\bigr]}\le2\psi(x)\le e^x,\qquad
      \psi(x)=\frac{e^x-1-x}{x^2},\quad x=\beta(\max\Delta-\min\Delta) *)
Theorem m4_second_order {Y : Type} (responses : list Y) beta rH rRM lo hi :
  responses <> [] -> 0 < beta -> lo < hi ->
  (forall y, In y responses -> lo <= rRM y - rH y <= hi) ->
  let p := gibbs responses beta rH in
  let Delta y := rRM y - rH y in
  let second := beta ^ 2 / 4 * expect responses p (fun y => expect responses p (fun z =>
    (Delta y - Delta z) ^ 2)) in
  let x := beta * (hi - lo) in
  (2 * psi (- x) * second <= KL responses p (gibbs responses beta rRM) <= 2 * psi x * second) /\
  exp (- x) <= 2 * psi (- x) /\ 2 * psi x <= exp x.
Proof.
  intros N B L H p Delta second x.
  assert (Px : 0 < x) by (apply Rmult_lt_0_compat; lra).
  split; [|split; [now apply psi_below|now apply psi_above]].
  pose proof (gibbs_distribution responses beta rH N) as D. fold p in D.
  pose proof (cumulant_bounds responses p Delta lo hi D H L beta (Rlt_le _ _ B)) as C.
  assert (K : KL responses p (gibbs responses beta rRM) = cumulant responses p Delta beta).
  { unfold p. rewrite m4_identity by auto. fold p. unfold cumulant. f_equal.
    - f_equal. unfold moment, expect. apply sum_ext. intros. unfold Delta. simpl. ring.
    - rewrite Rmult_comm. f_equal. unfold ratio.
      assert (moment responses p Delta 0 0 = 1) as ->.
      { unfold moment, expect. destruct D as (_ & S). rewrite <- S. apply sum_ext. intros.
        rewrite Rmult_0_l, exp_0. simpl. ring. }
      unfold moment, expect, Rdiv. rewrite Rinv_1, Rmult_1_r. apply sum_ext. intros.
      rewrite Rmult_0_l, exp_0. unfold Delta. simpl. ring. }
  rewrite K. unfold second. rewrite (pairs_variance responses p Delta D).
  set (V := variance_at responses p Delta 0) in *. unfold psi, x.
  assert (W : hi - lo <> 0) by lra.
  split; [eapply Rle_trans; [|exact (proj1 C)]|eapply Rle_trans; [exact (proj2 C)|]]; right.
  - replace (- (beta * (hi - lo))) with (- (hi - lo) * beta) by ring. field. lra.
  - replace (beta * (hi - lo)) with ((hi - lo) * beta) by ring. field. lra.
Qed.

(** claim: M4
    mutant: 1/2 in place of 1/4 in the second order
    says: Two responses of equal probability, one of them overrated by 1/10.
    tex: \exists\,r_H,r_\mathrm{RM}:\ \mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})<
      2\psi(-x)\,\tfrac{\beta^2}2\,\mathbb E\bigl[(\Delta(y)-\Delta(y'))^2\bigr] *)
Theorem m4_second_order_is_a_quarter :
  ~ (forall (rH rRM : bool -> R) beta lo hi, 0 < beta -> lo < hi ->
      (forall y, In y [true; false] -> lo <= rRM y - rH y <= hi) ->
      let p := gibbs [true; false] beta rH in
      let Delta y := rRM y - rH y in
      2 * psi (- (beta * (hi - lo))) * (beta ^ 2 / 2 * expect [true; false] p (fun y =>
        expect [true; false] p (fun z => (Delta y - Delta z) ^ 2)))
      <= KL [true; false] p (gibbs [true; false] beta rRM)).
Proof.
  intros H. set (w := / 10).
  assert (R : forall y, In y [true; false] -> 0 <= overrated w y - (fun _ : bool => 0) y <= w).
  { intros y _. unfold overrated, w. destruct y; lra. }
  assert (W : 0 < w) by (unfold w; lra).
  specialize (H (fun _ => 0) (overrated w) 1 0 w Rlt_0_1 W R). cbv zeta in H.
  destruct (m4_second_order [true; false] 1 (fun _ => 0) (overrated w) 0 w) as ((_ & U) & P & Q);
    auto; try lra; [congruence|]. cbv zeta in *.
  set (V := expect _ _ _) in H, U.
  assert (Z : V = w ^ 2 / 2).
  { unfold V, expect, gibbs, overrated. simpl. rewrite !Rmult_0_r, exp_0. field. }
  rewrite Z in *. replace (1 * (w - 0)) with w in * by ring.
  assert (T : exp w < 11 / 9).
  { assert (9 / 10 < exp (- w)).
    { pose proof (exp_ineq1 (- w)) as I. unfold w in *. lra. }
    rewrite exp_Ropp in H0. pose proof (exp_pos w).
    apply (Rmult_lt_reg_r (/ exp w)); [now apply Rinv_0_lt_compat|].
    rewrite Rinv_r by lra. lra. }
  assert (T' : 9 / 10 < exp (- w)).
  { pose proof (exp_ineq1 (- w)) as I. unfold w in *. lra. }
  assert (0 < w ^ 2) by (apply pow_lt; auto).
  assert (2 * psi (- w) * (1 ^ 2 / 2 * (w ^ 2 / 2)) <= 2 * psi w * (1 ^ 2 / 4 * (w ^ 2 / 2)))
    by (eapply Rle_trans; eauto).
  nra.
Qed.

(** What the autoencoder loses on a finite response space: M4's identity and bound. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(** Functions that begin at 0 and do not fall. *)
Lemma rising (f f' : R -> R) : f 0 = 0 ->
  (forall x, 0 <= x -> derivable_pt_lim f x (f' x)) -> (forall x, 0 <= x -> 0 <= f' x) ->
  forall x, 0 <= x -> 0 <= f x.
Proof.
  intros Z D P x [X|<-]; [|rewrite Z; lra].
  destruct (MVT_cor2 f f' 0 x X) as (c & Q & C); [intros; apply D; lra|].
  rewrite Z in Q. assert (0 <= f' c) by (apply P; lra). nra.
Qed.

Lemma linear_derivative c x : derivable_pt_lim (fun x => c * x) x c.
Proof.
  pose proof (derivable_pt_lim_scal id c x 1 (derivable_pt_lim_id x)) as D.
  rewrite Rmult_1_r in D. exact D.
Qed.

Lemma exp_tangent x y : exp x * (1 + (y - x)) <= exp y.
Proof.
  replace (exp y) with (exp x * exp (y - x)) by (rewrite <- exp_plus; f_equal; ring).
  apply Rmult_le_compat_l; [left; apply exp_pos|].
  destruct (Req_dec (y - x) 0) as [->|N]; [rewrite exp_0; lra|]. left. now apply exp_ineq1.
Qed.

(** Hoeffding's lemma for two values, 0 and u, the second of probability q. *)
Section TwoValues.
Variable q : R.
Hypothesis Q : 0 <= q <= 1.
Let Z (u : R) : R := 1 - q + q * exp u.

Lemma Z_pos u : 0 < Z u.
Proof. unfold Z. pose proof (exp_pos u). destruct (Req_dec q 0) as [->|]; [lra|nra]. Qed.

Lemma Z_derivative u : derivable_pt_lim Z u (q * exp u).
Proof.
  unfold Z. replace (q * exp u) with (0 + q * exp u) by ring.
  apply (derivable_pt_lim_plus (fun _ => 1 - q) (fun x => q * exp x)).
  - apply derivable_pt_lim_const.
  - apply (derivable_pt_lim_scal exp q), derivable_pt_lim_exp.
Qed.

Lemma slope_rises u : 0 <= u -> 0 <= u / 4 + q - q * exp u / Z u.
Proof.
  apply (rising (fun x => x / 4 + q - q * exp x / Z x)
    (fun x => / 4 - (q * exp x * Z x - q * exp x * (q * exp x)) / (Z x) ^ 2)).
  - unfold Z. rewrite exp_0. field. lra.
  - intros x _. pose proof (Z_pos x) as P.
    apply (derivable_pt_lim_minus (fun x => x / 4 + q) (fun x => q * exp x / Z x)).
    + replace (/ 4) with (/ 4 + 0) by ring.
      apply (derivable_pt_lim_plus (fun x => x / 4) (fun _ => q)); [|apply derivable_pt_lim_const].
      apply (derivable_pt_lim_ext (fun x => / 4 * x)); [intros; field|apply linear_derivative].
    + replace ((q * exp x * Z x - q * exp x * (q * exp x)) / Z x ^ 2)
        with ((q * exp x * Z x - q * exp x * (q * exp x)) / Rsqr (Z x))
        by (unfold Rsqr; field; lra).
      apply (derivable_pt_lim_div (fun x => q * exp x) Z).
      * apply (derivable_pt_lim_scal exp q), derivable_pt_lim_exp.
      * apply Z_derivative.
      * lra.
  - intros x _. pose proof (Z_pos x) as P. set (e := q * exp x).
    assert (Z x = 1 - q + e) as E by reflexivity.
    apply (Rmult_le_reg_r (Z x ^ 2)); [nra|]. rewrite Rmult_0_l.
    replace ((/ 4 - (e * Z x - e * e) / Z x ^ 2) * Z x ^ 2)
      with (/ 4 * (Z x - 2 * e) ^ 2) by (field; lra).
    apply Rmult_le_pos; [lra|]. apply pow2_ge_0.
Qed.

Lemma two_values u : 0 <= u -> ln (1 - q + q * exp u) - q * u <= u ^ 2 / 8.
Proof.
  intros U. enough (0 <= u ^ 2 / 8 + q * u - ln (Z u)) by (unfold Z in *; lra). revert u U.
  apply (rising (fun x => x ^ 2 / 8 + q * x - ln (Z x)) (fun x => x / 4 + q - q * exp x / Z x)).
  - unfold Z. rewrite exp_0. replace (1 - q + q * 1) with 1 by ring. rewrite ln_1. lra.
  - intros x _. pose proof (Z_pos x) as P.
    apply (derivable_pt_lim_minus (fun x => x ^ 2 / 8 + q * x) (fun x => ln (Z x))).
    + apply (derivable_pt_lim_plus (fun x => x ^ 2 / 8) (fun x => q * x)).
      * apply (derivable_pt_lim_ext (fun x => / 8 * x ^ 2)); [intros; field|].
        replace (x / 4) with (/ 8 * (INR 2 * x ^ pred 2)) by (simpl; field).
        apply (derivable_pt_lim_scal (fun x => x ^ 2) (/ 8) x (INR 2 * x ^ pred 2)).
        apply derivable_pt_lim_pow.
      * apply linear_derivative.
    + replace (q * exp x / Z x) with (/ Z x * (q * exp x)) by (field; lra).
      apply (derivable_pt_lim_comp Z ln); [apply Z_derivative|]. now apply derivable_pt_lim_ln.
  - intros x X. now apply slope_rises.
Qed.
End TwoValues.

Section Divergence.
Context {Y : Type}.
Variable responses : list Y.
Implicit Types (p q r X : Y -> R).

Definition expect p X : R := sum responses (fun y => p y * X y).
Definition distribution p := (forall y, In y responses -> 0 <= p y) /\ sum responses p = 1.

(** The policy that is proportional to exp(β r), and the divergence of one from another. *)
Definition gibbs (beta : R) r (y : Y) : R :=
  exp (beta * r y) / sum responses (fun z => exp (beta * r z)).
Definition KL p q : R := sum responses (fun y => p y * ln (p y / q y)).

Lemma expect_linear p a b X X' : 
  expect p (fun y => a * X y + b * X' y) = a * expect p X + b * expect p X'.
Proof.
  unfold expect. rewrite <- !sum_scal, <- sum_plus. apply sum_ext. intros. ring.
Qed.

Lemma expect_const p c : distribution p -> expect p (fun _ => c) = c.
Proof.
  intros (_ & S). unfold expect. rewrite (sum_ext _ _ (fun y => c * p y)) by (intros; ring).
  rewrite sum_scal, S. ring.
Qed.

Lemma expect_le p X X' : distribution p -> (forall y, In y responses -> X y <= X' y) ->
  expect p X <= expect p X'.
Proof.
  intros (P & _) H. apply sum_le. intros y I. apply Rmult_le_compat_l; auto.
Qed.

(** Jensen's inequality for the exponential function. *)
Lemma expect_exp p X : distribution p -> exp (expect p X) <= expect p (fun y => exp (X y)).
Proof.
  intros D. set (m := expect p X).
  apply (Rle_trans _ (expect p (fun y => exp m * (1 - m) * 1 + exp m * X y))).
  - rewrite (expect_linear p (exp m * (1 - m)) (exp m) (fun _ => 1) X), expect_const by auto.
    fold m. right. ring.
  - apply expect_le; auto. intros y _. pose proof (exp_tangent m (X y)). lra.
Qed.

(** claim: M4
    says: Hoeffding's lemma on a finite space. The logarithm of the mean of exp(X), less the mean of
      X, is at most an eighth of the squared range of X.
    tex: a\le X\le b\implies\log\mathbb E[e^X]-\mathbb E[X]\le\tfrac18(b-a)^2 *)
Theorem m4_hoeffding p X a b : distribution p -> (forall y, In y responses -> a <= X y <= b) ->
  ln (expect p (fun y => exp (X y))) - expect p X <= (b - a) ^ 2 / 8.
Proof.
  intros D H. set (m := expect p X).
  assert (M : a <= m <= b).
  { rewrite <- (expect_const p a D), <- (expect_const p b D). split; apply expect_le; auto;
      intros y I; apply H, I. }
  pose proof (expect_exp p X D) as J. pose proof (exp_pos m) as J'. fold m in J.
  destruct (Req_dec a b) as [<-|N].
  - assert (E : expect p (fun y => exp (X y)) <= exp a).
    { rewrite <- (expect_const p (exp a) D). apply expect_le; auto. intros y I.
      replace (X y) with a by (specialize (H y I); lra). lra. }
    replace (expect p (fun y => exp (X y))) with (exp a); [rewrite ln_exp; lra|].
    replace m with a in J by lra. lra.
  - set (u := b - a). assert (U : 0 < u) by (unfold u; lra). set (q := (m - a) / u).
    assert (Q : 0 <= q <= 1).
    { unfold q. split; [apply Rmult_le_pos; [lra|left; now apply Rinv_0_lt_compat]|].
      apply (Rmult_le_reg_r u); auto. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; unfold u; lra. }
    assert (E : expect p (fun y => exp (X y)) <= exp a * (1 - q + q * exp u)).
    { apply (Rle_trans _ (expect p (fun y => (b * exp a - a * exp b) / u * 1
        + (exp b - exp a) / u * X y))).
      - apply expect_le; auto. intros y I. specialize (H y I).
        pose proof (exp_tangent (X y) a) as A. pose proof (exp_tangent (X y) b) as B.
        apply (Rmult_le_reg_r u); auto.
        replace (((b * exp a - a * exp b) / u * 1 + (exp b - exp a) / u * X y) * u)
          with ((b - X y) * exp a + (X y - a) * exp b) by (field; lra).
        apply (Rmult_le_compat_l (b - X y)) in A; [|lra].
        apply (Rmult_le_compat_l (X y - a)) in B; [|lra].
        eapply Rle_trans; [|apply Rplus_le_compat; [exact A|exact B]].
        right. unfold u. ring.
      - rewrite (expect_linear p ((b * exp a - a * exp b) / u) ((exp b - exp a) / u)
          (fun _ => 1) X), expect_const by auto. fold m. right.
        replace (exp b) with (exp a * exp u) by (rewrite <- exp_plus; f_equal; unfold u; ring).
        unfold q. replace b with (u + a) by (unfold u; ring). field. lra. }
    assert (L : ln (expect p (fun y => exp (X y))) <= a + ln (1 - q + q * exp u)).
    { rewrite <- (ln_exp a) at 1. rewrite <- ln_mult; [|apply exp_pos|now apply Z_pos].
      destruct E as [E| ->]; [left; apply ln_increasing; lra|lra]. }
    pose proof (two_values q Q u (Rlt_le _ _ U)) as T.
    assert (q * u = m - a) by (unfold q; field; lra). lra.
Qed.

Lemma gibbs_total beta r : responses <> [] -> 0 < sum responses (fun z => exp (beta * r z)).
Proof.
  intros H. destruct responses as [|z l]; [congruence|]. simpl.
  pose proof (exp_pos (beta * r z)).
  assert (0 <= sum l (fun z => exp (beta * r z))) by (apply sum_nonneg; intros; left; apply exp_pos).
  lra.
Qed.

Lemma gibbs_distribution beta r : responses <> [] -> distribution (gibbs beta r).
Proof.
  intros H. pose proof (gibbs_total beta r H) as T. split.
  - intros y _. left. apply Rdiv_lt_0_compat; auto. apply exp_pos.
  - unfold gibbs, Rdiv.
    rewrite (sum_ext _ _ (fun y => / sum responses (fun z => exp (beta * r z)) * exp (beta * r y)))
      by (intros; ring).
    rewrite sum_scal. field. lra.
Qed.

(** claim: M4
    check: exact identity
    says: On every finite response space, for all rewards r_H and r_RM and every β, the divergence of
      the policy p_LM from the human distribution p_H is log E[exp(βΔ)] - β E[Δ] under p_H, exactly.
    tex: \mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})=\log\mathbb E_{p_H}[e^{\beta\Delta}]
      -\beta\,\mathbb E_{p_H}[\Delta],\qquad\Delta=r_\mathrm{RM}-r_H *)
Theorem m4_identity beta rH rRM : responses <> [] ->
  KL (gibbs beta rH) (gibbs beta rRM) =
  ln (expect (gibbs beta rH) (fun y => exp (beta * (rRM y - rH y))))
  - beta * expect (gibbs beta rH) (fun y => rRM y - rH y).
Proof.
  intros H. pose proof (gibbs_total beta rH H) as TH. pose proof (gibbs_total beta rRM H) as TM.
  pose proof (gibbs_distribution beta rH H) as D.
  set (zH := sum responses (fun z => exp (beta * rH z))) in *.
  set (zM := sum responses (fun z => exp (beta * rRM z))) in *.
  assert (M : expect (gibbs beta rH) (fun y => exp (beta * (rRM y - rH y))) = zM / zH).
  { unfold expect, gibbs. fold zH.
    rewrite (sum_ext _ _ (fun y => / zH * exp (beta * rRM y))).
    - rewrite sum_scal. unfold zM, Rdiv. ring.
    - intros y _. replace (beta * rRM y) with (beta * rH y + beta * (rRM y - rH y)) by ring.
      rewrite exp_plus. unfold Rdiv. ring. }
  rewrite M, <- (expect_const (gibbs beta rH) (ln (zM / zH)) D).
  transitivity (expect (gibbs beta rH)
    (fun y => 1 * ln (zM / zH) + - beta * (rRM y - rH y))).
  - unfold KL, expect. apply sum_ext. intros y _. f_equal. unfold gibbs. fold zH zM.
    replace (exp (beta * rH y) / zH / (exp (beta * rRM y) / zM))
      with (zM / zH * exp (- beta * (rRM y - rH y))).
    + rewrite ln_mult, ln_exp; [ring| |apply exp_pos]. now apply Rdiv_lt_0_compat.
    + replace (- beta * (rRM y - rH y)) with (beta * rH y + - (beta * rRM y)) by ring.
      rewrite exp_plus, exp_Ropp. field. repeat split; try lra.
      pose proof (exp_pos (beta * rRM y)). lra.
  - rewrite (expect_linear _ 1 (- beta) (fun _ => ln (zM / zH)) (fun y => rRM y - rH y)). ring.
Qed.

(** claim: M4
    check: bound
    says: On every finite response space the divergence is at most β²(max Δ - min Δ)²/8; lo and hi
      may be any bounds of Δ.
    tex: \mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})\le\tfrac{\beta^2}{8}(\max\Delta-\min\Delta)^2 *)
Theorem m4_bound beta rH rRM lo hi : responses <> [] -> 0 < beta ->
  (forall y, In y responses -> lo <= rRM y - rH y <= hi) ->
  KL (gibbs beta rH) (gibbs beta rRM) <= beta ^ 2 / 8 * (hi - lo) ^ 2.
Proof.
  intros N B H. rewrite m4_identity by auto.
  pose proof (gibbs_distribution beta rH N) as D.
  pose proof (m4_hoeffding (gibbs beta rH) (fun y => beta * (rRM y - rH y)) (beta * lo) (beta * hi) D)
    as L.
  assert (E : expect (gibbs beta rH) (fun y => beta * (rRM y - rH y))
    = beta * expect (gibbs beta rH) (fun y => rRM y - rH y)).
  { unfold expect. rewrite <- sum_scal. apply sum_ext. intros. ring. }
  rewrite E in L. replace (beta ^ 2 / 8 * (hi - lo) ^ 2) with ((beta * hi - beta * lo) ^ 2 / 8)
    by field.
  apply L. intros y I. specialize (H y I). split; apply Rmult_le_compat_l; lra.
Qed.

End Divergence.

(** What is not so: two responses that are as likely, one of them overrated by w, β = 1. *)

Definition overrated (w : R) (y : bool) : R := if y then w else 0.

Lemma two_responses w : KL [true; false] (gibbs [true; false] 1 (fun _ => 0))
  (gibbs [true; false] 1 (overrated w)) = ln ((1 + exp w) / 2) - w / 2.
Proof.
  rewrite m4_identity by congruence. unfold expect, gibbs. simpl.
  rewrite !Rmult_0_r, exp_0, Rmult_1_l, !Rminus_0_r, Rmult_1_l, exp_0.
  replace (1 / (1 + (1 + 0)) * exp w + (1 / (1 + (1 + 0)) * 1 + 0)) with ((1 + exp w) / 2) by field.
  field.
Qed.

Lemma sinh_rises x : 0 <= x -> 2 * x <= exp x - exp (- x).
Proof.
  intros X. enough (0 <= exp x - exp (- x) - 2 * x) by lra. revert x X.
  apply (rising (fun x => exp x - exp (- x) - 2 * x) (fun x => exp x + exp (- x) - 2)).
  - rewrite Ropp_0, exp_0. ring.
  - intros x _. apply (derivable_pt_lim_minus (fun x => exp x - exp (- x)) (fun x => 2 * x)).
    + replace (exp x + exp (- x)) with (exp x - exp (- x) * - (1)) by ring.
      apply (derivable_pt_lim_minus exp (fun x => exp (- x))); [apply derivable_pt_lim_exp|].
      apply (derivable_pt_lim_comp (fun x => - x) exp); [|apply derivable_pt_lim_exp].
      apply (derivable_pt_lim_opp id x 1), derivable_pt_lim_id.
    + apply linear_derivative.
  - intros x _. pose proof (exp_pos x). pose proof (exp_pos (- x)).
    assert (exp x * exp (- x) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
    pose proof (pow2_ge_0 (exp x - 1)). apply (Rmult_le_reg_l (exp x)); auto. lra.
Qed.

Lemma two_responses_lose w : 0 <= w ->
  w ^ 2 / (8 + w ^ 2) <= ln ((1 + exp w) / 2) - w / 2.
Proof.
  intros W. set (c := (1 + exp w) / 2 * exp (- (w / 2))).
  assert (C : 1 + w ^ 2 / 8 <= c).
  { pose proof (sinh_rises (w / 4)) as S. set (e := exp (w / 4)) in *.
    assert (E : exp w = e ^ 4).
    { unfold e. simpl. rewrite Rmult_1_r, <- !exp_plus. f_equal. field. }
    assert (P : 0 < e) by apply exp_pos. rewrite exp_Ropp in S. fold e in S.
    assert (E' : exp (- (w / 2)) = / e ^ 2).
    { rewrite exp_Ropp. f_equal. unfold e. simpl. rewrite Rmult_1_r, <- exp_plus. f_equal. field. }
    unfold c. rewrite E, E'.
    replace ((1 + e ^ 4) / 2 * / e ^ 2) with (1 + (e - / e) ^ 2 / 2) by (field; lra).
    assert (0 <= e - / e) by lra. assert (w / 2 <= e - / e) by lra.
    assert ((w / 2) ^ 2 <= (e - / e) ^ 2) by (apply pow_incr; lra). lra. }
  assert (0 <= w ^ 2) by apply pow2_ge_0.
  assert (L : ln ((1 + exp w) / 2) - w / 2 = ln c).
  { unfold c. rewrite ln_mult, ln_exp; [ring| |apply exp_pos]. pose proof (exp_pos w). lra. }
  rewrite L. assert (Z : exp (w ^ 2 / (8 + w ^ 2)) <= c).
  { eapply Rle_trans; [|exact C].
    pose proof (exp_ineq1_le (- (w ^ 2 / (8 + w ^ 2)))) as I. rewrite exp_Ropp in I.
    assert (P : 0 < exp (w ^ 2 / (8 + w ^ 2))) by apply exp_pos.
    replace (1 + - (w ^ 2 / (8 + w ^ 2))) with (/ (1 + w ^ 2 / 8)) in I by (field; lra).
    apply Rinv_le_contravar in I; [|apply Rinv_0_lt_compat; lra].
    rewrite !Rinv_inv in I. exact I. }
  rewrite <- (ln_exp (w ^ 2 / (8 + w ^ 2))). destruct Z as [Z| ->]; [|lra].
  left. apply ln_increasing; auto. apply exp_pos.
Qed.

(** claim: M4
    mutant: a constant below 1/8
    says: Two responses of equal probability, one of them overrated by little enough, lose more than
      any smaller constant allows; so 1/8 is the least.
    tex: \forall c<\tfrac18:\ \exists\,r_H,r_\mathrm{RM}:\ \mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})
      >c\,\beta^2(\max\Delta-\min\Delta)^2 *)
Theorem m4_constant_cannot_be_lowered : forall c, c < / 8 ->
  ~ (forall beta rH rRM lo hi, 0 < beta ->
    (forall y, In y [true; false] -> lo <= rRM y - rH y <= hi) ->
    KL [true; false] (gibbs [true; false] beta rH) (gibbs [true; false] beta rRM)
    <= c * beta ^ 2 * (hi - lo) ^ 2).
Proof.
  intros c C H.
  assert (T : exists w, 0 < w /\ c * (8 + w ^ 2) < 1).
  { destruct (Rle_dec c 0) as [N|N].
    - exists 1. split; [lra|]. nra.
    - assert (0 < / c - 8).
      { enough (8 < / c) by lra. rewrite <- (Rinv_inv 8). apply Rinv_lt_contravar; lra. }
      exists (sqrt ((/ c - 8) / 2)). split; [apply sqrt_lt_R0; lra|].
      simpl. rewrite Rmult_1_r, sqrt_def by lra.
      replace (c * (8 + (/ c - 8) / 2)) with (4 * c + / 2) by (field; lra). lra. }
  destruct T as (w & W & T).
  assert (L : ln ((1 + exp w) / 2) - w / 2 <= c * 1 ^ 2 * (w - 0) ^ 2).
  { rewrite <- two_responses. apply H; [lra|].
    intros y _. unfold overrated. destruct y; lra. }
  pose proof (two_responses_lose w (Rlt_le _ _ W)) as G.
  assert (Z : w ^ 2 / (8 + w ^ 2) <= c * w ^ 2) by (simpl in *; lra).
  assert (P : 0 < w ^ 2) by (apply pow_lt; auto).
  apply (Rmult_le_compat_r (8 + w ^ 2)) in Z; [|lra].
  replace (w ^ 2 / (8 + w ^ 2) * (8 + w ^ 2)) with (w ^ 2) in Z by (field; lra). nra.
Qed.

(** claim: M4
    mutant: the inequality turned
    says: One of two responses overrated by 8 loses less than 4, where the bound is 8.
    tex: \exists\,r_H,r_\mathrm{RM}:\ \mathrm{KL}(p_H\,\Vert\,p_\mathrm{LM})
      <\tfrac{\beta^2}8(\max\Delta-\min\Delta)^2 *)
Theorem m4_cannot_be_turned :
  ~ (forall beta rH rRM, 0 < beta -> beta ^ 2 / 8 * (rRM true - rH true - (rRM false - rH false)) ^ 2
      <= KL [true; false] (gibbs [true; false] beta rH) (gibbs [true; false] beta rRM)).
Proof.
  intros H. specialize (H 1 (fun _ => 0) (overrated 8) Rlt_0_1).
  rewrite two_responses in H. unfold overrated in H.
  assert (1 < exp 8) by (rewrite <- exp_0; apply exp_increasing; lra).
  assert (ln ((1 + exp 8) / 2) < 8).
  { rewrite <- (ln_exp 8) at 2. apply ln_increasing; lra. }
  lra.
Qed.

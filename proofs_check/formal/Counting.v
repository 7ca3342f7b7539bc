(** E4: no choice of n comparisons beats c F(2n). *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Networks Resistance Potentials Hierarchy.
Import ListNotations.
Open Scope R_scope.

Definition node_dec : forall x y : node, {x = y} + {x <> y}.
Proof. decide equality; apply Nat.eq_dec. Defined.

Definition edge_dec : forall e f : nat + node, {e = f} + {e <> f}.
Proof. decide equality; [apply Nat.eq_dec|apply node_dec]. Defined.

(** Of N responses in cells of C each, those in the cells T are C |T| at most. *)
Lemma few_in_a_cell C N t : (0 < C)%nat ->
  sum (seq 0 N) (fun y => if Nat.eq_dec (y / C) t then 1 else 0) <= INR C.
Proof.
  intros P.
  assert (Z : forall l : list nat, sum l (fun y => if Nat.eq_dec (y / C) t then 1 else 0)
    = count (filter (fun y => if Nat.eq_dec (y / C) t then true else false) l)).
  { unfold count. induction l as [|y l IH]; simpl sum; [reflexivity|]. simpl filter.
    destruct (Nat.eq_dec (y / C) t); rewrite IH; [|lra]. simpl Datatypes.length. rewrite S_INR. lra. }
  rewrite Z. unfold count. apply le_INR.
  eapply Nat.le_trans; [|apply Nat.eq_le_incl, (seq_length C (t * C))].
  apply NoDup_incl_length; [apply NoDup_filter, seq_NoDup|].
  intros y I. apply filter_In in I. destruct I as (_ & Q). cbv beta in Q. apply in_seq.
  destruct (Nat.eq_dec (y / C) t) as [<-|]; [|discriminate].
  assert (C <> 0)%nat as Z' by lia.
  pose proof (Nat.div_mod y C Z'). pose proof (Nat.mod_upper_bound y C Z'). nia.
Qed.

Lemma many_elsewhere C N T : (0 < C)%nat ->
  INR N - count T * INR C <=
  sum (seq 0 N) (fun y => if in_dec Nat.eq_dec (y / C)%nat T then 0 else 1).
Proof.
  intros P. induction T as [|t T IH].
  - simpl. rewrite sum_const. unfold count. rewrite seq_length. simpl. lra.
  - assert (L : sum (seq 0 N) (fun y => if in_dec Nat.eq_dec (y / C)%nat T then 0 else 1)
      - sum (seq 0 N) (fun y => if Nat.eq_dec (y / C) t then 1 else 0)
      <= sum (seq 0 N) (fun y => if in_dec Nat.eq_dec (y / C)%nat (t :: T) then 0 else 1)).
    { rewrite <- sum_minus. apply sum_le. intros y _.
      destruct (in_dec Nat.eq_dec (y / C)%nat T) as [I|I],
        (in_dec Nat.eq_dec (y / C)%nat (t :: T)) as [I'|I'], (Nat.eq_dec (y / C) t) as [Q|Q];
        try lra.
      exfalso. destruct I' as [I'|I']; congruence. }
    pose proof (few_in_a_cell C N t P). unfold count in *. simpl Datatypes.length.
    rewrite S_INR. lra.
Qed.

Section Counting.
Variables (B K n : nat) (g : nat -> R) (left right : nat -> nat) (label : R).
Hypothesis V : valid B K n g left right label.
Let W := world B K n g left right label.
Let Y := responses B K.

Definition mean_over_pairs (f : nat -> nat -> R) : R :=
  mean Y (fun y => mean Y (fun y' => f y y')).

Definition touched k : list nat :=
  map (fun i => cell B K k (left i)) (seq 0 n) ++ map (fun i => cell B K k (right i)) (seq 0 n).

Lemma count_touched k : count (touched k) = 2 * INR n.
Proof. unfold touched, count. rewrite app_length, !map_length, seq_length, plus_INR. lra. Qed.

Lemma untouched k y : ~ In (cell B K k y) (touched k) -> empty B K n left right k y.
Proof.
  intros H i I. split; intros Q; apply H; unfold touched; apply in_app_iff; [left|right];
    apply in_map_iff; exists i; (split; [exact Q|apply in_seq; lia]).
Qed.

Lemma resistance_nonneg y y' r : resistance W (leaf K y) (leaf K y') r -> 0 <= r.
Proof.
  intros (h & U & ->). rewrite <- (energy_current W _ _ h (world_positive _ _ _ _ _ _ _ V) U).
  apply energy_nonneg. now apply world_positive.
Qed.

(** claim: E4
    part: counting bound
    says: For every falling g, n ≥ 1 comparisons, however chosen, leave a mean effective resistance of
      at least g(k - 1)/8 over all ordered pairs, at every depth k that has 4n cells or more.
    tex: B^k\ge4n\implies\mathbb E[R]\ge\tfrac18\,g(k-1) *)
Theorem e4_counting k r : (1 <= k <= K)%nat -> (1 <= n)%nat -> (4 * n <= B ^ k)%nat ->
  (forall y y', In y Y -> In y' Y -> resistance W (leaf K y) (leaf K y') (r y y')) ->
  g (k - 1) / 8 <= mean_over_pairs r.
Proof.
  intros H N M R.
  pose proof (power_pos B K n g left right label V) as P.
  set (C := (B ^ (K - k))%nat). assert (PC : (0 < C)%nat) by apply P.
  assert (G : 0 < g (k - 1)).
  { destruct V as (_ & _ & F & _). destruct (F (k - 1)%nat). lra. }
  assert (Size : INR (B ^ K) = INR (B ^ k) * INR C).
  { rewrite <- mult_INR. unfold C. rewrite <- Nat.pow_add_r. f_equal. f_equal. lia. }
  assert (PC' : 0 < INR C) by now apply lt_0_INR.
  assert (N' : 1 <= INR n) by (apply (le_INR 1); lia).
  assert (M' : 4 * INR n <= INR (B ^ k)).
  { apply le_INR in M. rewrite mult_INR in M. simpl in M. lra. }
  set (one := fun y => if in_dec Nat.eq_dec (y / C)%nat (touched k) then 0 else 1).
  assert (Few : (INR (B ^ k) - 2 * INR n) * INR C <= sum Y one).
  { pose proof (many_elsewhere C (B ^ K) (touched k) PC) as Z. rewrite count_touched, Size in Z.
    unfold Y, responses, one. lra. }
  assert (Row : forall y, In y Y ->
    one y * (g (k - 1) * ((INR (B ^ k) - (2 * INR n + 1)) * INR C)) <= sum Y (r y)).
  { intros y I. unfold one. destruct (in_dec Nat.eq_dec (y / C)%nat (touched k)) as [T|T].
    - rewrite Rmult_0_l. apply sum_nonneg. intros y' I'. apply (resistance_nonneg y y'). auto.
    - rewrite Rmult_1_l.
      pose proof (many_elsewhere C (B ^ K) ((y / C)%nat :: touched k) PC) as Z.
      assert (Q : count ((y / C)%nat :: touched k) = 2 * INR n + 1).
      { rewrite <- (count_touched k). unfold count. simpl Datatypes.length. now rewrite S_INR. }
      rewrite Q, Size in Z.
      apply (Rle_trans _ (g (k - 1)%nat * sum (seq 0 (B ^ K))
        (fun y' => if in_dec Nat.eq_dec (y' / C)%nat ((y / C)%nat :: touched k) then 0 else 1))).
      + apply Rmult_le_compat_l; lra.
      + rewrite <- sum_scal. apply sum_le. intros y' I'.
        destruct (in_dec Nat.eq_dec (y' / C)%nat ((y / C)%nat :: touched k)) as [T'|T'].
        * rewrite Rmult_0_r. apply (resistance_nonneg y y'). auto.
        * rewrite Rmult_1_r.
          apply (e4_empty_cells B K n g left right label V k y y'); auto.
          -- now apply untouched.
          -- apply untouched. intros Z'. apply T'. now right.
          -- intros Z'. apply T'. left. exact Z'. }
  assert (Total : sum Y one * (g (k - 1) * ((INR (B ^ k) - (2 * INR n + 1)) * INR C))
    <= sum Y (fun y => sum Y (r y))).
  { rewrite Rmult_comm, <- sum_scal. apply sum_le. intros y I. rewrite Rmult_comm. auto. }
  assert (Z : mean_over_pairs r
    = sum Y (fun y => sum Y (fun y' => r y y')) / (INR (B ^ k) * INR C * (INR (B ^ k) * INR C))).
  { unfold mean_over_pairs, mean. unfold Rdiv at 1.
    rewrite (sum_ext Y _ (fun y => / count Y * sum Y (fun y' => r y y')))
      by (intros; unfold Rdiv; lra).
    rewrite sum_scal. assert (count Y = INR (B ^ k) * INR C) as ->.
    { unfold count, Y, responses. now rewrite seq_length. }
    field. split; lra. }
  rewrite Z. set (m := INR (B ^ k)) in *. set (c := INR C) in *.
  assert (Pm : 0 < m) by lra. assert (Pmc : 0 < m * c) by now apply Rmult_lt_0_compat.
  apply (Rmult_le_reg_r (m * c * (m * c))); [now apply Rmult_lt_0_compat|].
  match goal with |- _ <= ?s / ?d * ?d => replace (s / d * d) with s by (field; split; lra) end.
  eapply Rle_trans; [|exact Total].
  apply (Rle_trans _ (((m - 2 * INR n) * c) * (g (k - 1)%nat * ((m - (2 * INR n + 1)) * c)))).
  - assert (m * m <= 8 * ((m - 2 * INR n) * (m - (2 * INR n + 1)))) by nra.
    assert (0 < c * c) by nra.
    apply (Rle_trans _ (g (k - 1)%nat / 8 * (c * c) * (8 * ((m - 2 * INR n) * (m - (2 * INR n + 1)))))).
    + replace (g (k - 1)%nat / 8 * (m * c * (m * c))) with (g (k - 1)%nat / 8 * (c * c) * (m * m)) by ring.
      apply Rmult_le_compat_l; [nra|lra].
    + right. field.
  - apply Rmult_le_compat_r; [|exact Few]. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; nra.
Qed.
End Counting.

(** The power family, and its structural function in the infinite hierarchy. *)

Definition power_family (B : nat) (I alpha : R) (j : nat) : R := I * Rpower (INR B) (- alpha * INR j).

Definition kappa (B : nat) (alpha : R) : R := (1 - / INR B) / (1 - Rpower (INR B) (-1 - alpha)).

Definition F (B : nat) (I alpha M : R) : R := kappa B alpha * I * Rpower M (- alpha).

Section Power.
Variables (B : nat) (I alpha : R).
Hypotheses (HB : (2 <= B)%nat) (HI : 0 < I) (HA : 0 < alpha).

Lemma B_real : 2 <= INR B.
Proof. apply (le_INR 2) in HB. simpl in HB. lra. Qed.

Lemma ratio_small : 0 < Rpower (INR B) (-1 - alpha) < / INR B.
Proof.
  pose proof B_real. split; [apply exp_pos|].
  rewrite <- (Rpower_1 (INR B)) at 2 by lra. rewrite <- Rpower_Ropp. apply Rpower_lt; lra.
Qed.

Lemma inverse_small : 0 < / INR B < 1.
Proof.
  pose proof B_real. split; [apply Rinv_0_lt_compat; lra|].
  rewrite <- Rinv_1. apply Rinv_lt_contravar; lra.
Qed.

Lemma kappa_at_most_one : 0 < kappa B alpha <= 1.
Proof.
  pose proof ratio_small. pose proof inverse_small. unfold kappa. split.
  - apply Rdiv_lt_0_compat; lra.
  - apply (Rmult_le_reg_r (1 - Rpower (INR B) (-1 - alpha))); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Lemma power_falling : falling (power_family B I alpha).
Proof.
  pose proof B_real. intros j. unfold power_family. split.
  - apply Rmult_lt_0_compat; [lra|apply exp_pos].
  - apply Rmult_lt_compat_l; [lra|]. apply Rpower_lt; [lra|]. rewrite S_INR. nra.
Qed.

(** claim: E4
    says: In the power family the series over depths by which F(B^k) is defined, the mean of d_IB over
      two independent responses of one cell at depth k, has the closed form κ I B^(-αk).
    tex: \sum_{j\ge0}\bigl(1-\tfrac1B\bigr)B^{-j}g(k+j)=\kappa I\,(B^k)^{-\alpha}=F(B^k),\qquad
      \kappa=\frac{1-1/B}{1-B^{-1-\alpha}} *)
Theorem e4_structural_function k :
  infinite_sum (fun j => (1 - / INR B) * (/ INR B) ^ j * power_family B I alpha (k + j))
    (F B I alpha (INR B ^ k)).
Proof.
  pose proof B_real as P. pose proof ratio_small as Q. pose proof inverse_small as P'.
  set (q := Rpower (INR B) (-1 - alpha)) in *.
  set (c := (1 - / INR B) * I * Rpower (INR B ^ k) (- alpha)).
  assert (T : forall j, (1 - / INR B) * (/ INR B) ^ j * power_family B I alpha (k + j) = c * q ^ j).
  { intros j. unfold power_family, c, q.
    rewrite <- !Rpower_pow by (try apply exp_pos; try apply Rinv_0_lt_compat; lra).
    rewrite !Rpower_mult. rewrite <- (Rpower_1 (INR B)) at 2 by lra.
    rewrite <- Rpower_Ropp, Rpower_mult, plus_INR.
    replace (-alpha * (INR k + INR j)) with (INR k * - alpha + - alpha * INR j) by ring.
    replace ((-1 - alpha) * INR j) with (-1 * INR j + - alpha * INR j) by ring.
    rewrite !Rpower_plus. replace (- (1) * INR j) with (-1 * INR j) by ring. ring. }
  assert (G : Un_cv (fun m => c * sum_f_R0 (fun j => 1 * q ^ j) m) (c * / (1 - q))).
  { apply (CV_mult (fun _ => c)).
    - intros e E. exists 0%nat. intros. unfold R_dist. rewrite Rminus_eq_0, Rabs_R0. exact E.
    - apply GP_infinite. rewrite Rabs_pos_eq; lra. }
  replace (F B I alpha (INR B ^ k)) with (c * / (1 - q)).
  - intros e E. destruct (G e E) as (m & H). exists m. intros m' L. specialize (H m' L).
    rewrite (sum_eq _ (fun j => 1 * q ^ j * c)) by (intros; rewrite T; ring).
    rewrite <- scal_sum. exact H.
  - unfold F, kappa, c. fold q. field. lra.
Qed.

Lemma least_depth n K : (1 <= n)%nat -> (4 * n <= B ^ K)%nat ->
  exists k, (1 <= k <= K)%nat /\ (4 * n <= B ^ k)%nat /\ (B ^ (k - 1) < 4 * n)%nat.
Proof.
  intros N. induction K as [|K IH]; intros M; [simpl in M; lia|].
  destruct (le_lt_dec (4 * n) (B ^ K)) as [L|L].
  - destruct (IH L) as (k & H & M'). exists k. split; [lia|exact M'].
  - exists (S K). replace (S K - 1)%nat with K by lia. repeat split; auto; lia.
Qed.

Lemma power_at_least n k : (1 <= n)%nat -> (1 <= k)%nat -> (B ^ (k - 1) < 4 * n)%nat ->
  Rpower 2 (- alpha) * F B I alpha (2 * INR n) <= power_family B I alpha (k - 1).
Proof.
  intros N K M. pose proof B_real as P. pose proof kappa_at_most_one as Q.
  assert (N' : 1 <= INR n) by (apply (le_INR 1); lia).
  apply lt_INR in M. rewrite mult_INR, pow_INR in M. simpl (INR 4) in M.
  unfold power_family, F. set (x := INR B ^ (k - 1)) in *.
  assert (X : 0 < x) by (apply pow_lt; lra).
  replace (Rpower (INR B) (- alpha * INR (k - 1))) with (Rpower x (- alpha)).
  2:{ unfold x. rewrite <- Rpower_pow, Rpower_mult by lra. f_equal. ring. }
  assert (L : Rpower 2 (- alpha) * Rpower (2 * INR n) (- alpha) <= Rpower x (- alpha)).
  { rewrite Rpower_mult_distr by lra. rewrite !Rpower_Ropp. apply Rinv_le_contravar; [apply exp_pos|].
    apply Rle_Rpower_l; lra. }
  assert (0 < Rpower 2 (- alpha) * Rpower (2 * INR n) (- alpha))
    by (apply Rmult_lt_0_compat; apply exp_pos).
  replace (Rpower 2 (- alpha) * (kappa B alpha * I * Rpower (2 * INR n) (- alpha)))
    with (kappa B alpha * (I * (Rpower 2 (- alpha) * Rpower (2 * INR n) (- alpha)))) by ring.
  apply (Rle_trans _ (1 * (I * (Rpower 2 (- alpha) * Rpower (2 * INR n) (- alpha))))).
  - apply Rmult_le_compat_r; [|lra]. left. now apply Rmult_lt_0_compat.
  - rewrite Rmult_1_l. apply Rmult_le_compat_l; lra.
Qed.

Lemma half_power : alpha <= 1 -> / 2 <= Rpower 2 (- alpha).
Proof.
  intros H. rewrite <- (Rpower_1 2) at 1 by lra. rewrite <- Rpower_Ropp.
  apply Rle_Rpower; lra.
Qed.

(** claim: E4
    part: constant
    says: In every finite hierarchy of B ≥ 2 children, of any depth K that has 4n responses or more,
      for the power family of any α > 0 and every choice of n ≥ 1 comparisons at any σ² > 0, the mean
      over all ordered pairs of responses of the effective resistance, and so that of the inference
      distance, is at least 2^(−α)/8 of F(2n); for α ≤ 1, at least 1/16 of it.
    tex: \mathbb E[d]\ge\mathbb E[R]\ge\tfrac18\,2^{-\alpha}F(2n)\ge\tfrac1{16}F(2n)\ (\alpha\le1) *)
Theorem e4_lower_bound K n left right label (r d : nat -> nat -> R) :
  let W := world B K n (power_family B I alpha) left right label in
  (1 <= n)%nat -> (4 * n <= B ^ K)%nat -> 0 < label ->
  (forall i, (i < n)%nat -> (left i < B ^ K)%nat /\ (right i < B ^ K)%nat) ->
  (forall y y', In y (responses B K) -> In y' (responses B K) ->
    resistance W (leaf K y) (leaf K y') (r y y') /\ distance W (leaf K y) (leaf K y') (d y y')) ->
  / 8 * Rpower 2 (- alpha) * F B I alpha (2 * INR n) <= mean_over_pairs B K r /\
  mean_over_pairs B K r <= mean_over_pairs B K d /\
  (alpha <= 1 -> / 16 * F B I alpha (2 * INR n) <= mean_over_pairs B K r).
Proof.
  intros W N M L C H.
  destruct (least_depth n K N M) as (k & Hk & Mk & Mk').
  assert (V : valid B K n (power_family B I alpha) left right label).
  { repeat split; auto; try lia; try apply power_falling; now apply C. }
  assert (A : / 8 * Rpower 2 (- alpha) * F B I alpha (2 * INR n) <= mean_over_pairs B K r).
  { eapply Rle_trans; [|apply (e4_counting B K n (power_family B I alpha) left right label V k r)];
      auto; [|intros; now apply H].
    pose proof (power_at_least n k N (proj1 Hk) Mk'). lra. }
  split; [exact A|split].
  - apply mean_le. intros y Y. apply mean_le. intros y' Y'. destruct (H y y' Y Y') as (Hr & Hd).
    eapply (e1_resistance_below_distance node_dec edge_dec); eauto.
    + now apply world_positive.
    + apply edges_once.
  - intros Z. eapply Rle_trans; [|exact A]. pose proof (half_power Z).
    assert (0 < F B I alpha (2 * INR n)).
    { unfold F. apply Rmult_lt_0_compat; [|apply exp_pos]. apply Rmult_lt_0_compat; [|lra].
      apply kappa_at_most_one. }
    nra.
Qed.

End Power.

(** What is not so. *)

Lemma choose {A} (P : nat -> A -> Prop) (a : A) l : (forall y, In y l -> exists x, P y x) ->
  exists f, forall y, In y l -> P y (f y).
Proof.
  induction l as [|z l IH]; intros H; [exists (fun _ => a); simpl; tauto|].
  destruct IH as (f & Hf); [intros; apply H; now right|].
  destruct (H z (or_introl eq_refl)) as (x & Hx).
  exists (fun y => if Nat.eq_dec y z then x else f y). intros y I.
  destruct (Nat.eq_dec y z) as [->|N]; auto. apply Hf. destruct I; [congruence|auto].
Qed.

(** claim: E4
    says: So that the bound is of something. In every finite hierarchy, whatever is compared, every
      two responses have an effective resistance and an inference distance.
    tex: \forall y,y'\ \exists\,R(y,y'),\,d(y,y') *)
Theorem e4_means_exist B K n g left right label : valid B K n g left right label ->
  let W := world B K n g left right label in
  exists r d, forall y y', In y (responses B K) -> In y' (responses B K) ->
    resistance W (leaf K y) (leaf K y') (r y y') /\ distance W (leaf K y) (leaf K y') (d y y').
Proof.
  intros V W.
  destruct (choose (fun y rd => forall y', In y' (responses B K) ->
    resistance W (leaf K y) (leaf K y') (fst (rd y')) /\
    distance W (leaf K y) (leaf K y') (snd (rd y'))) (fun _ : nat => (0, 0)) (responses B K))
    as (f & H).
  - intros y I. apply (choose (fun y' rd => resistance W (leaf K y) (leaf K y') (fst rd) /\
      distance W (leaf K y) (leaf K y') (snd rd)) (0, 0)).
    intros y' I'.
    pose proof (responses_connected B K n g left right label V y y' I I') as C.
    pose proof (world_positive B K n g left right label V) as P.
    destruct (e1_resistance_exists node_dec W _ _ P C) as (r & Hr & _).
    destruct (distance_exists W _ _ P C) as (d & Hd). now exists (r, d).
  - exists (fun y y' => fst (f y y')), (fun y y' => snd (f y y')). intros. now apply H.
Qed.

Lemma four_valid alpha : 0 < alpha ->
  valid 2 2 1 (power_family 2 1 alpha) (fun _ => 0%nat) (fun _ => 1%nat) 1.
Proof.
  intros A. split; [lia|]. split; [lia|]. split; [|split; [lra|intros; simpl; lia]].
  apply power_falling; auto; lra.
Qed.

Lemma four_at_most alpha r d : 0 < alpha ->
  let W := world 2 2 1 (power_family 2 1 alpha) (fun _ => 0%nat) (fun _ => 1%nat) 1 in
  (forall y y', In y (responses 2 2) -> In y' (responses 2 2) ->
    resistance W (leaf 2 y) (leaf 2 y') (r y y') /\ distance W (leaf 2 y) (leaf 2 y') (d y y')) ->
  mean_over_pairs 2 2 r <= 3 / 4.
Proof.
  intros A W H. pose proof (four_valid alpha A) as V.
  assert (U : forall y y', In y (responses 2 2) -> In y' (responses 2 2) ->
    r y y' <= if Nat.eq_dec y y' then 0 else 1).
  { intros y y' Y Y'. destruct (H y y' Y Y') as (R & _).
    pose proof (world_positive 2 2 1 _ _ _ _ V) as P.
    destruct (Nat.eq_dec y y') as [<-|N].
    - right. eapply resistance_unique; eauto. apply resistance_refl.
    - destruct (cell_walk 2 2 1 _ _ _ _ V 0 y y') as (p & Wk & L); auto; try lia.
      { now rewrite !(cell_root 2 2) by auto. }
      replace 1 with (power_family 2 1 alpha 0).
      + rewrite <- L. apply (resistance_below_walk node_dec edge_dec W (leaf 2 y) (leaf 2 y')); auto.
        apply edges_once.
      + unfold power_family. simpl (INR 0). rewrite Rmult_0_r, Rpower_O; simpl; lra. }
  assert (M : mean_over_pairs 2 2 r
    <= mean_over_pairs 2 2 (fun y y' => if Nat.eq_dec y y' then 0 else 1)).
  { apply mean_le. intros y Y. apply mean_le. auto. }
  eapply Rle_trans; [exact M|]. unfold mean_over_pairs, mean, count, responses. simpl. lra.
Qed.

(** claim: E4
    mutant: the constant 1 in place of 1/16
    says: At small α, one comparison of two of four responses leaves less than F(2).
    tex: \exists\text{ world, }\alpha\le1,\text{ dataset}:\ \mathbb E[R]<F(2n) *)
Theorem e4_constant_is_less_than_one : ~ (forall B K n I alpha left right label r d,
  (2 <= B)%nat -> 0 < I -> 0 < alpha -> alpha <= 1 -> (1 <= n)%nat -> (4 * n <= B ^ K)%nat ->
  0 < label -> (forall i, (i < n)%nat -> (left i < B ^ K)%nat /\ (right i < B ^ K)%nat) ->
  (forall y y', In y (responses B K) -> In y' (responses B K) ->
    resistance (world B K n (power_family B I alpha) left right label)
      (leaf K y) (leaf K y') (r y y') /\
    distance (world B K n (power_family B I alpha) left right label)
      (leaf K y) (leaf K y') (d y y')) ->
  F B I alpha (2 * INR n) <= mean_over_pairs B K r).
Proof.
  intros H. set (a := / 10).
  assert (A : 0 < a) by (unfold a; lra).
  destruct (e4_means_exist _ _ _ _ _ _ _ (four_valid a A)) as (r & d & Q).
  specialize (H 2%nat 2%nat 1%nat 1 a (fun _ => 0%nat) (fun _ => 1%nat) 1 r d).
  assert (L : F 2 1 a (2 * INR 1) <= mean_over_pairs 2 2 r).
  { apply H; auto; try (unfold a; lra); try (simpl; lia). }
  pose proof (four_at_most a r d A Q) as U.
  unfold F, kappa in L. simpl (INR 1) in L. rewrite Rmult_1_r, Rmult_1_r in L.
  replace (INR 2) with 2 in L by (simpl; lra).
  assert (T : 6 / 7 < Rpower 2 (- a)).
  { rewrite Rpower_Ropp. replace (6 / 7) with (/ (7 / 6)) by lra.
    apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; [apply exp_pos|lra]|].
    replace (7 / 6) with (Rpower ((7 / 6) ^ 10) a).
    - unfold Rpower. apply exp_increasing. apply Rmult_lt_compat_l; auto.
      apply ln_increasing; lra.
    - rewrite <- Rpower_pow, Rpower_mult by lra. unfold a.
      replace (INR 10 * / 10) with 1 by (simpl; lra). apply Rpower_1. lra. }
  replace (-1 - a) with (- (1) + - a) in L by lra.
  rewrite Rpower_plus, (Rpower_Ropp 2 1), Rpower_1 in L by lra.
  set (t := Rpower 2 (- a)) in *.
  assert (T1 : t < 1).
  { unfold t. rewrite <- (Rpower_O 2) by lra. apply Rpower_lt; lra. }
  assert (Z : (1 - / 2) / (1 - / 2 * t) * t <= 3 / 4) by lra.
  apply (Rmult_le_compat_r (1 - / 2 * t)) in Z; [|lra].
  replace ((1 - / 2) / (1 - / 2 * t) * t * (1 - / 2 * t)) with ((1 - / 2) * t) in Z
    by (field; lra). lra.
Qed.

(** claim: E4
    mutant: the inequality turned
    says: No dataset comes as low as F(2n)/16 at α = 1/2.
    tex: \exists\text{ world, dataset}:\ \mathbb E[R]>\tfrac1{16}F(2n) *)
Theorem e4_cannot_be_turned : ~ (forall B K n I alpha left right label r d,
  (2 <= B)%nat -> 0 < I -> 0 < alpha -> alpha <= 1 -> (1 <= n)%nat -> (4 * n <= B ^ K)%nat ->
  0 < label -> (forall i, (i < n)%nat -> (left i < B ^ K)%nat /\ (right i < B ^ K)%nat) ->
  (forall y y', In y (responses B K) -> In y' (responses B K) ->
    resistance (world B K n (power_family B I alpha) left right label)
      (leaf K y) (leaf K y') (r y y') /\
    distance (world B K n (power_family B I alpha) left right label)
      (leaf K y) (leaf K y') (d y y')) ->
  mean_over_pairs B K r <= / 16 * F B I alpha (2 * INR n)).
Proof.
  intros H. set (a := / 2). assert (A : 0 < a) by (unfold a; lra).
  destruct (e4_means_exist _ _ _ _ _ _ _ (four_valid a A)) as (r & d & Q).
  specialize (H 2%nat 2%nat 1%nat 1 a (fun _ => 0%nat) (fun _ => 1%nat) 1 r d).
  assert (U : mean_over_pairs 2 2 r <= / 16 * F 2 1 a (2 * INR 1)).
  { apply H; auto; try (unfold a; lra); try (simpl; lia). }
  destruct (e4_lower_bound 2 1 a) with (K := 2%nat) (n := 1%nat) (left := fun _ : nat => 0%nat)
    (right := fun _ : nat => 1%nat) (label := 1) (r := r) (d := d) as (L & _); auto; try lra;
    try (simpl; lia).
  assert (/ 2 < Rpower 2 (- a)).
  { rewrite <- (Rpower_1 2) at 1 by lra. rewrite <- Rpower_Ropp. apply Rpower_lt; unfold a; lra. }
  assert (0 < F 2 1 a (2 * INR 1)).
  { unfold F. apply Rmult_lt_0_compat; [|apply exp_pos]. apply Rmult_lt_0_compat; [|lra].
    apply kappa_at_most_one; auto; lra. }
  nra.
Qed.

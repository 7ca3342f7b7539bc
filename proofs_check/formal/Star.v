(** E5: what a stratified star attains on average, and in the hierarchy. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Choices Networks Hierarchy.
Import ListNotations.
Open Scope R_scope.

Section Star.
Context {V E : Type}.
Variables (M C : nat) (Y : nat -> nat -> V) (N : (nat -> nat) -> network V E) (label : R).
Variables (dIB : nat -> nat -> nat -> R) (d : (nat -> nat) -> nat -> nat -> nat -> nat -> R).
Let cells := seq 0 M.
Let places := seq 0 C.

(** The mean over responses: a uniform cell, and a uniform place in it. *)
Definition over (f : nat -> nat -> R) : R := mean cells (fun c => mean places (fun i => f c i)).

(** The structural function of these cells: the mean of d_IB within a cell. *)
Definition structural : R := mean cells (fun c => mean places (fun i => mean places (fun j => dIB c i j))).

(** claim: E5
    part: path bound
    says: M cells of C responses each, in any network and for any d_IB. Draw one representative of
      each cell at random and compare them along a star. The mean inference distance, over the draw
      and all ordered pairs of responses, is at most twice the mean of d_IB within a cell, which is
      the structural function of these cells, and the variances of two labels.
    tex: \mathbb E[d]\le2F(M)+2\sigma^2,\qquad F(M)=\mathbb E\bigl[d_{IB}(y,y')\bigr],\ y,y'
      \text{ of one cell} *)
Theorem e5_star_mean : (1 <= M)%nat -> (1 <= C)%nat -> 0 <= label ->
  (forall s, choice C s -> star (N s) (map (fun c => Y c (s c)) cells) (Y 0%nat (s 0%nat)) label) ->
  (forall s c i, choice C s -> In c cells -> In i places ->
    exists p, walk (N s) (Y c i) (Y c (s c)) p /\ length (N s) p = dIB c i (s c)) ->
  (forall s c i c' i', choice C s -> In c cells -> In i places -> In c' cells -> In i' places ->
    distance (N s) (Y c i) (Y c' i') (d s c i c' i')) ->
  mean_choice C M (fun s => over (fun c i => over (fun c' i' => d s c i c' i')))
  <= 2 * structural + 2 * label.
Proof.
  intros HM HC L S W D.
  assert (Some_cells : cells <> []) by (unfold cells; destruct M; [lia|simpl; congruence]).
  pose proof (places_some C HC) as Some_places. fold places in Some_places.
  set (stem := fun (s : nat -> nat) => over (fun c i => dIB c i (s c))).
  assert (P : forall s, choice C s ->
    over (fun c i => over (fun c' i' => d s c i c' i')) <= 2 * stem s + 2 * label).
  { intros s Hs.
    apply (Rle_trans _ (over (fun c i => dIB c i (s c) + (stem s + 2 * label)))).
    - apply mean_le. intros c Ic. apply mean_le. intros i Ii.
      apply (Rle_trans _ (over (fun c' i' => dIB c' i' (s c') + (dIB c i (s c) + 2 * label)))).
      + apply mean_le. intros c' Ic'. apply mean_le. intros i' Ii'.
        pose proof (e5_star_path (N s) (map (fun c => Y c (s c)) cells) (Y 0%nat (s 0%nat)) label
          (Y c i) (Y c (s c)) (Y c' i') (Y c' (s c')) (dIB c i (s c)) (dIB c' i' (s c'))
          (d s c i c' i')) as Z.
        assert (d s c i c' i' <= dIB c i (s c) + dIB c' i' (s c') + 2 * label); [|lra].
        apply Z; auto.
        * apply (in_map (fun c => Y c (s c))). exact Ic.
        * apply (in_map (fun c => Y c (s c))). exact Ic'.
      + unfold over at 1. rewrite (mean_ext cells _ (fun c' => mean places (fun i' => dIB c' i' (s c'))
          + (dIB c i (s c) + 2 * label))).
        * rewrite mean_plus, mean_const by auto. fold (over (fun c' i' => dIB c' i' (s c'))).
          unfold stem. lra.
        * intros c' _. rewrite mean_plus, mean_const; auto.
    - unfold over at 1. rewrite (mean_ext cells _ (fun c => mean places (fun i => dIB c i (s c))
        + (stem s + 2 * label))).
      + rewrite mean_plus, mean_const by auto. fold (over (fun c i => dIB c i (s c))).
        fold (stem s). lra.
      + intros c _. rewrite mean_plus, mean_const; auto. }
  eapply Rle_trans; [apply mean_choice_le; [exact HC|exact P]|].
  rewrite mean_choice_plus, mean_choice_scal, mean_choice_const by auto.
  assert (Q : mean_choice C M stem = structural); [|rewrite Q; lra].
  unfold stem, over, structural. rewrite mean_choice_mean by auto. apply mean_ext. intros c Ic.
  rewrite mean_choice_mean by auto.
  apply mean_ext. intros i Ii.
  apply in_seq in Ic. apply (mean_choice_one C HC M c (fun j => dIB c i j)). lia.
Qed.
End Star.

(** claim: E5
    part: path bound
    says: In the finite hierarchy with any falling g, a star of n comparisons that has a response in
      every cell at depth k < K, as it can for n + 1 = B^k, leaves every pair of responses at an
      inference distance of at most 2 g(k) + 2σ².
    tex: d(y_1,y_2)\le2g(k)+2\sigma^2 *)
Theorem e5_star_in_the_hierarchy B K n k g left right label y1 y2 d :
  valid B K n g left right label -> (k < K)%nat ->
  (forall i, (i < n)%nat -> left i = left 0%nat) ->
  (forall c, (c < B ^ k)%nat -> exists i, (i < n)%nat /\
    (cell B K k (left i) = c \/ cell B K k (right i) = c)) ->
  In y1 (responses B K) -> In y2 (responses B K) ->
  distance (world B K n g left right label) (leaf K y1) (leaf K y2) d ->
  d <= 2 * g k + 2 * label.
Proof.
  intros V HK Hub Cover Y1 Y2 D.
  set (W := world B K n g left right label) in *.
  set (S := map (fun i => leaf K (left i)) (seq 0 n) ++ map (fun i => leaf K (right i)) (seq 0 n)).
  assert (L : 0 <= label) by (destruct V as (_ & _ & _ & P & _); lra).
  assert (H : star W S (leaf K (left 0%nat)) label).
  { intros s I. apply in_app_iff in I.
    destruct I as [I|I]; apply in_map_iff in I; destruct I as (i & <- & I); apply in_seq in I.
    - left. rewrite (Hub i); [auto|lia].
    - right. exists (inl i). split; [|split; [reflexivity|]].
      + simpl. apply in_app_iff. left. apply in_map. apply in_seq. lia.
      + left. simpl. rewrite (Hub i); [auto|lia]. }
  assert (R : forall y, In y (responses B K) -> exists s, In (leaf K s) S /\
    exists p, walk W (leaf K y) (leaf K s) p /\ length W p = g k).
  { intros y Y. destruct (Cover (cell B K k y)) as (i & I & Q).
    - apply in_seq in Y. unfold cell.
      apply Nat.div_lt_upper_bound; [apply Nat.neq_0_lt_0, (power_pos B K n g left right label V)|].
      rewrite <- Nat.pow_add_r. replace (K - k + k)%nat with K by lia. lia.
    - assert (Z : In (left i) (responses B K) /\ In (right i) (responses B K)).
      { destruct V as (_ & _ & _ & _ & Z). specialize (Z i I). split; apply in_seq; lia. }
      destruct Q as [Q|Q].
      + exists (left i). split; [apply in_app_iff; left|].
        * apply (in_map (fun i => leaf K (left i))). apply in_seq. lia.
        * apply (cell_walk B K n g left right label V k); auto; tauto.
      + exists (right i). split; [apply in_app_iff; right|].
        * apply (in_map (fun i => leaf K (right i))). apply in_seq. lia.
        * apply (cell_walk B K n g left right label V k); auto; tauto. }
  destruct (R y1 Y1) as (s1 & I1 & W1), (R y2 Y2) as (s2 & I2 & W2).
  pose proof (e5_star_path W S (leaf K (left 0%nat)) label _ _ _ _ _ _ d L H I1 I2 W1 W2 D). lra.
Qed.

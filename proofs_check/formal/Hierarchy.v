(** The finite ultrametric world: E4's counting bound. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Networks Resistance Potentials.
Import ListNotations.
Open Scope R_scope.

(** Responses are the leaves, at depth K, of a hierarchy of B children a node. A node is a depth and
    a place among the B^depth nodes there; its parent's place is its own over B. Two responses
    whose deepest common ancestor is at depth j < K are at d_IB = g j. *)
Definition node := (nat * nat)%type.
Definition leaf (K y : nat) : node := (K, y).

Section World.
Variables (B K n : nat) (g : nat -> R) (left right : nat -> nat) (label : R).

Definition nodes : list node :=
  flat_map (fun j => map (pair j) (seq 0 (B ^ j))) (seq 1 K).

Definition height (j : nat) : R := if lt_dec j K then g j else 0.

(** The network: n comparisons, and an edge from every node but the root up to its parent. *)
Definition world : network node (nat + node) := {|
  edges := map inl (seq 0 n) ++ map inr nodes;
  source e := match e with inl i => leaf K (left i) | inr x => x end;
  target e := match e with inl i => leaf K (right i) | inr (j, i) => (pred j, (i / B)%nat) end;
  variance e := match e with inl _ => label | inr (j, _) => (height (pred j) - height j) / 2 end
|}.

Definition responses : list nat := seq 0 (B ^ K).
Definition cell (k y : nat) : nat := (y / B ^ (K - k))%nat.

Definition falling := forall j, 0 < g (S j) /\ g (S j) < g j.
Definition valid := (2 <= B)%nat /\ (1 <= K)%nat /\ falling /\ 0 < label /\
  forall i, (i < n)%nat -> (left i < B ^ K)%nat /\ (right i < B ^ K)%nat.

Lemma in_nodes j i : In (j, i) nodes <-> (1 <= j <= K /\ i < B ^ j)%nat.
Proof.
  unfold nodes. rewrite in_flat_map. split.
  - intros (j' & J & I). apply in_seq in J. apply in_map_iff in I.
    destruct I as (i' & Q & I). apply in_seq in I. inversion Q; subst. lia.
  - intros (J & I). exists j. rewrite in_seq. split; [lia|]. apply in_map. apply in_seq. lia.
Qed.

Lemma nodup_nodes : NoDup nodes.
Proof.
  unfold nodes. generalize (seq_NoDup K 1). generalize (seq 1 K) as js.
  induction js as [|j js IH]; simpl; intros D; [constructor|]. inversion D as [|? ? N D']; subst.
  apply nodup_app; auto.
  - apply nodup_map; [|apply seq_NoDup]. intros x y _ _ Q. now inversion Q.
  - intros x I H. apply in_map_iff in I. destruct I as (i & <- & _).
    apply in_flat_map in H. destruct H as (j' & J & H). apply in_map_iff in H.
    destruct H as (i' & Q & _). inversion Q; subst. contradiction.
Qed.

Lemma edges_once : NoDup (edges world).
Proof.
  simpl. apply nodup_app.
  - apply nodup_map; [congruence|apply seq_NoDup].
  - apply nodup_map; [congruence|apply nodup_nodes].
  - intros e I H. apply in_map_iff in I. apply in_map_iff in H.
    destruct I as (i & <- & _), H as (x & Q & _). discriminate.
Qed.

Hypothesis V : valid.

Lemma B_pos : (0 < B)%nat. Proof. destruct V. lia. Qed.
Lemma power_pos k : (0 < B ^ k)%nat. Proof. apply Nat.neq_0_lt_0, Nat.pow_nonzero. pose B_pos. lia. Qed.

Lemma height_falls j : (1 <= j <= K)%nat -> 0 < (height (pred j) - height j) / 2.
Proof.
  destruct V as (_ & _ & F & _). intros J. unfold height.
  destruct (lt_dec (pred j) K); [|lia]. specialize (F (pred j)).
  replace (S (pred j)) with j in F by lia. destruct (lt_dec j K); lra.
Qed.

Lemma world_positive : positive world.
Proof.
  intros e I. simpl in *. apply in_app_iff in I. destruct I as [I|I].
  - apply in_map_iff in I. destruct I as (i & <- & _). now destruct V as (_ & _ & _ & L & _).
  - apply in_map_iff in I. destruct I as ([j i] & <- & I). apply in_nodes in I.
    now apply height_falls.
Qed.

(** The way up from a node, by m edges. *)
Lemma way_up m : forall j i, (j + m <= K)%nat -> (i < B ^ (j + m))%nat ->
  exists p, walk world (j + m, i)%nat (j, i / B ^ m)%nat p /\
    length world p = (height j - height (j + m)) / 2.
Proof.
  induction m as [|m IH]; intros j i J I.
  - exists []. rewrite Nat.add_0_r, Nat.pow_0_r, Nat.div_1_r. split; [constructor|].
    unfold length. simpl. lra.
  - pose proof B_pos as P. pose proof (power_pos m) as P'.
    destruct (IH j (i / B)%nat) as (p & W & L).
    + lia.
    + apply Nat.div_lt_upper_bound; [lia|]. rewrite <- Nat.pow_succ_r'.
      replace (S (j + m)) with (j + S m)%nat by lia. exact I.
    + exists ((inr (j + S m, i)%nat, true) :: p). split.
      * apply (go world (inr (j + S m, i)%nat, true)).
        -- simpl. apply in_app_iff. right. apply in_map. apply in_nodes. lia.
        -- unfold finish. simpl. replace (pred (j + S m)) with (j + m)%nat by lia.
           replace (i / (B * B ^ m))%nat with (i / B / B ^ m)%nat; [exact W|].
           apply Nat.div_div; lia.
      * change (variance world (inr (j + S m, i)%nat) + length world p
          = (height j - height (j + S m)) / 2).
        rewrite L. simpl. replace (pred (j + S m)) with (j + m)%nat by lia. lra.
Qed.

Lemma leaf_up k y : (k < K)%nat -> In y responses ->
  exists p, walk world (leaf K y) (k, cell k y) p /\ length world p = g k / 2.
Proof.
  intros H I. apply in_seq in I. destruct (way_up (K - k) k y) as (p & W & L); try lia.
  - replace (k + (K - k))%nat with K by lia. lia.
  - exists p. replace (k + (K - k))%nat with K in * by lia. split; [exact W|].
    rewrite L. unfold height. destruct (lt_dec k K); [|lia]. destruct (lt_dec K K); [lia|]. lra.
Qed.

(** Two responses of one cell at depth k are at g k of each other at most. *)
Lemma cell_walk k y y' : (k < K)%nat -> In y responses -> In y' responses ->
  cell k y = cell k y' ->
  exists p, walk world (leaf K y) (leaf K y') p /\ length world p = g k.
Proof.
  intros H I I' Q.
  destruct (leaf_up k y) as (p & W & L); auto.
  destruct (leaf_up k y') as (q & W' & L'); auto.
  exists (p ++ rev (map turn q)). split.
  - eapply walk_app; [exact W|]. rewrite Q. now apply walk_turn.
  - rewrite length_app, length_turn, L, L'. lra.
Qed.

Lemma cell_root y : In y responses -> cell 0 y = 0%nat.
Proof.
  intros I. apply in_seq in I. unfold cell. rewrite Nat.sub_0_r. apply Nat.div_small. lia.
Qed.

Lemma responses_connected y y' : In y responses -> In y' responses ->
  connected world (leaf K y) (leaf K y').
Proof.
  intros I I'. destruct V as (_ & P & _). destruct (cell_walk 0 y y') as (p & W & _); auto.
  - now rewrite !cell_root.
  - now exists p.
Qed.

(** The part of the hierarchy below the place c at depth j. *)
Definition below (j c : nat) (x : node) : R :=
  if le_dec j (fst x) then if Nat.eq_dec (snd x / B ^ (fst x - j)) c then 1 else 0 else 0.

Lemma deeper a i j : (j <= i)%nat -> (a / B / B ^ (i - j) = a / B ^ (S i - j))%nat.
Proof.
  intros J. rewrite Nat.div_div; try (apply Nat.neq_0_lt_0; auto using B_pos, power_pos).
  f_equal. replace (S i - j)%nat with (S (i - j)) by lia. reflexivity.
Qed.

(** One edge of the hierarchy alone leaves it. *)
Lemma below_drop j c d i : (1 <= d)%nat -> (1 <= j)%nat ->
  drop world (below j c) (inr (d, i)) = if Nat.eq_dec d j then if Nat.eq_dec i c then 1 else 0 else 0.
Proof.
  intros D J. unfold drop, below. simpl. destruct d as [|d]; [lia|]. simpl pred.
  destruct (Nat.eq_dec (S d) j) as [<-|Q].
  - destruct (le_dec (S d) (S d)); [|lia]. destruct (le_dec (S d) d); [lia|].
    rewrite Nat.sub_diag, Nat.pow_0_r, Nat.div_1_r. destruct (Nat.eq_dec i c); lra.
  - destruct (le_dec j (S d)) as [L|L], (le_dec j d) as [L'|L']; try lia; try lra.
    rewrite deeper by lia. lra.
Qed.

Lemma coarser k j y : (k <= j <= K)%nat -> (cell j y / B ^ (j - k) = cell k y)%nat.
Proof.
  intros H. unfold cell. rewrite Nat.div_div; try (apply Nat.neq_0_lt_0; auto using power_pos).
  rewrite <- Nat.pow_add_r. f_equal. f_equal. lia.
Qed.

(** No comparison touches the cell of y at depth k. *)
Definition empty (k y : nat) :=
  forall i, (i < n)%nat -> cell k (left i) <> cell k y /\ cell k (right i) <> cell k y.

Lemma below_leaf j c y : (j <= K)%nat ->
  below j c (leaf K y) = if Nat.eq_dec (cell j y) c then 1 else 0.
Proof. intros J. unfold below, leaf, cell. simpl. destruct (le_dec j K); [auto|lia]. Qed.

(** Current that crosses into an empty cell passes each edge of the line above its response. *)
Lemma stem_carries k j y a b f : (1 <= k <= j)%nat -> (j <= K)%nat -> In y responses ->
  empty k y -> unit_flow world a b f ->
  f (inr (j, cell j y)) = below j (cell j y) a - below j (cell j y) b.
Proof.
  intros J JK Y M U. apply in_seq in Y. rewrite <- U. simpl edges. rewrite sum_app, !sum_map.
  rewrite (sum_ext (seq 0 n) _ (fun _ => 0)), sum_zero, Rplus_0_l.
  - assert (I : In (j, cell j y) nodes).
    { apply in_nodes. split; [lia|]. unfold cell.
      apply Nat.div_lt_upper_bound; [apply Nat.neq_0_lt_0, power_pos|].
      rewrite <- Nat.pow_add_r. replace (K - j + j)%nat with K by lia. lia. }
    assert (dec : forall x y : node, {x = y} + {x <> y}) by (decide equality; apply Nat.eq_dec).
    symmetry.
    transitivity (sum nodes (fun x => if dec x (j, cell j y) then f (inr x) else 0));
      [|now apply (sum_at dec nodes _ (fun x => f (inr x)) nodup_nodes)].
    apply sum_ext. intros [d i] H. apply in_nodes in H. rewrite below_drop by lia.
    destruct (dec (d, i) (j, cell j y)) as [Q|Q].
    + inversion Q; subst. destruct (Nat.eq_dec j j); [|lia].
      destruct (Nat.eq_dec (cell j y) (cell j y)); [lra|congruence].
    + destruct (Nat.eq_dec d j) as [->|]; [|lra]. destruct (Nat.eq_dec i (cell j y)) as [->|]; [|lra].
      congruence.
  - intros i I. apply in_seq in I. destruct (M i) as (ML & MR); [lia|].
    unfold drop. simpl. rewrite !below_leaf by lia.
    destruct (Nat.eq_dec (cell j (left i)) (cell j y)) as [Q|_].
    { exfalso. apply ML. rewrite <- (coarser k j), <- (coarser k j y) by lia. now rewrite Q. }
    destruct (Nat.eq_dec (cell j (right i)) (cell j y)) as [Q|_].
    { exfalso. apply MR. rewrite <- (coarser k j), <- (coarser k j y) by lia. now rewrite Q. }
    lra.
Qed.

Definition stem (k y : nat) : list (nat + node) :=
  map (fun j => inr (j, cell j y)) (seq k (S K - k)).

Lemma stem_length k y : (1 <= k <= K)%nat ->
  sum (stem k y) (fun e => variance world e) = g (k - 1) / 2.
Proof.
  intros H. unfold stem. rewrite sum_map.
  change (sum (seq k (S K - k)) (fun j => (height (pred j) - height j) / 2) = g (k - 1) / 2).
  assert (T : forall m d, (1 <= d)%nat -> sum (seq d m) (fun j => (height (pred j) - height j) / 2)
    = (height (pred d) - height (pred (d + m))) / 2).
  { induction m as [|m IH]; intros d D; simpl; [rewrite Nat.add_0_r; lra|].
    rewrite IH by lia. replace (d + S m)%nat with (S d + m)%nat by lia. simpl. lra. }
  rewrite T by lia. unfold height. replace (pred (k + (S K - k))) with K by lia.
  replace (pred k) with (k - 1)%nat by lia.
  destruct (lt_dec (k - 1) K); [|lia]. destruct (lt_dec K K); [lia|]. lra.
Qed.

Lemma in_stem k y e : In e (stem k y) -> exists j, (k <= j <= K)%nat /\ e = inr (j, cell j y).
Proof.
  intros I. apply in_map_iff in I. destruct I as (j & <- & J). apply in_seq in J.
  exists j. split; [lia|auto].
Qed.

(** claim: E4
    check: empty cells
    says: In every finite hierarchy, for every falling g and every choice of comparisons, two
      responses in distinct cells at depth k that no comparison touches have an effective
      resistance of g(k - 1) or more.
    tex: y,y'\text{ in distinct empty cells at depth }k\implies R(y,y')\ge g(k-1) *)
Theorem e4_empty_cells k y y' r : (1 <= k <= K)%nat -> In y responses -> In y' responses ->
  empty k y -> empty k y' -> cell k y <> cell k y' ->
  resistance world (leaf K y) (leaf K y') r -> g (k - 1) <= r.
Proof.
  intros H Y Y' M M' D R. destruct (e1_thomson _ _ _ r world_positive R) as ((f & U & <-) & _).
  assert (N : forall j, (k <= j <= K)%nat -> cell j y <> cell j y').
  { intros j J Q. apply D. rewrite <- (coarser k j), <- (coarser k j y') by lia. now rewrite Q. }
  assert (F : forall e, In e (stem k y ++ stem k y') -> f e * f e = 1).
  { intros e I. apply in_app_iff in I. destruct I as [I|I]; apply in_stem in I;
      destruct I as (j & J & ->); specialize (N j J).
    - rewrite (stem_carries k j y _ _ f) with (5 := U) by (auto; lia).
      rewrite !below_leaf by lia. destruct (Nat.eq_dec (cell j y) (cell j y)); [|congruence].
      destruct (Nat.eq_dec (cell j y') (cell j y)); [congruence|]. lra.
    - rewrite (stem_carries k j y' _ _ f) with (5 := U) by (auto; lia).
      rewrite !below_leaf by lia. destruct (Nat.eq_dec (cell j y') (cell j y')); [|congruence].
      destruct (Nat.eq_dec (cell j y) (cell j y')); [congruence|]. lra. }
  apply (Rle_trans _ (sum (stem k y ++ stem k y') (fun e => variance world e * (f e * f e)))).
  - rewrite (sum_ext _ _ (variance world)) by (intros e I; rewrite F by auto; lra).
    rewrite sum_app, !stem_length by auto. lra.
  - unfold energy. apply sum_part.
    + apply nodup_app.
      * apply nodup_map; [|apply seq_NoDup]. intros a b _ _ Q. now inversion Q.
      * apply nodup_map; [|apply seq_NoDup]. intros a b _ _ Q. now inversion Q.
      * intros e I I'. apply in_stem in I. apply in_stem in I'.
        destruct I as (j & J & ->), I' as (j' & J' & Q). inversion Q; subst. now apply (N j').
    + intros e I. apply in_app_iff. right. apply in_app_iff in I.
      assert (Z : exists j z, (k <= j <= K)%nat /\ In z responses /\ e = inr (j, cell j z)).
      { destruct I as [I|I]; apply in_stem in I; destruct I as (j & J & ->); eauto 6. }
      destruct Z as (j & z & J & Z & ->). apply in_map. apply in_nodes. split; [lia|].
      apply in_seq in Z. unfold cell.
      apply Nat.div_lt_upper_bound; [apply Nat.neq_0_lt_0, power_pos|].
      rewrite <- Nat.pow_add_r. replace (K - j + j)%nat with K by lia. lia.
    + intros e I. pose proof (world_positive e I). nra.
Qed.

End World.

(** P5: a chain's mean inference distance from below, of the order of n^(-α) log n. *)

Require Import Reals Lra Lia List ListDec Arith FunctionalExtensionality.
From Ibn Require Import Sums Choices Networks Resistance Potentials Equality Hierarchy Counting
  Divergence.
Import ListNotations.
Open Scope R_scope.

Section Tree.
Variables (B K n : nat) (g : nat -> R) (left right : nat -> nat) (label : R).
Hypothesis V : valid B K n g left right label.
Let W := world B K n g left right label.

(** The depth at which a node parts from the line above the leaf z. *)
Fixpoint meeting (z j i : nat) : nat :=
  match j with
  | O => O
  | S d => if Nat.eq_dec i (cell B K (S d) z) then S d else meeting z d (i / B)
  end.

(** The distance along the hierarchy, from a node to the leaf z. *)
Definition to_leaf (z : nat) (x : node) : R :=
  height K g (meeting z (fst x) (snd x)) - height K g (fst x) / 2.

Lemma meeting_at j z : meeting z j (cell B K j z) = j.
Proof. destruct j; simpl; auto. destruct (Nat.eq_dec _ _); [auto|congruence]. Qed.

Lemma to_leaf_itself z : to_leaf z (leaf K z) = 0.
Proof.
  unfold to_leaf. simpl. replace z with (cell B K K z) at 2.
  - rewrite meeting_at. unfold height. destruct (lt_dec K K); [lia|lra].
  - unfold cell. rewrite Nat.sub_diag, Nat.pow_0_r. apply Nat.div_1_r.
Qed.

Lemma to_leaf_up z j i : (1 <= j <= K)%nat ->
  Rabs (to_leaf z (j, i) - to_leaf z (pred j, (i / B)%nat)) = variance W (inr (j, i)).
Proof.
  intros J. pose proof (height_falls B K n g left right label V j J) as P. simpl.
  destruct j as [|d]; [lia|]. simpl pred in *. unfold to_leaf. simpl.
  destruct (Nat.eq_dec i (cell B K (S d) z)) as [->|N].
  - assert (cell B K (S d) z / B = cell B K d z)%nat as ->.
    { rewrite <- (coarser B K n g left right label V d (S d) z) by lia.
      replace (S d - d)%nat with 1%nat by lia. now rewrite Nat.pow_1_r. }
    rewrite meeting_at. rewrite Rabs_left1; lra.
  - rewrite Rabs_right; lra.
Qed.

(** The ends of a comparison, in the order in which a step passes them. *)
Definition enter (t : nat * bool) : nat := if snd t then left (fst t) else right (fst t).
Definition leave (t : nat * bool) : nat := if snd t then right (fst t) else left (fst t).

(** What a path costs in the hierarchy that makes these comparisons on its way to the leaf z. *)
Fixpoint cost (z : nat) (x : node) (l : list (nat * bool)) : R :=
  match l with
  | [] => to_leaf z x
  | t :: k => to_leaf (enter t) x + cost z (leaf K (leave t)) k
  end.

Fixpoint comparisons (p : list (@step (nat + node))) : list (nat * bool) :=
  match p with
  | [] => []
  | (inl i, d) :: q => (i, d) :: comparisons q
  | (inr _, _) :: q => comparisons q
  end.

Lemma cost_at_most z x p : walk W x (leaf K z) p -> cost z x (comparisons p) <= length W p.
Proof.
  remember (leaf K z) as y eqn:Q. induction 1 as [x|[e d] y p I Wp IH]; subst.
  - simpl. rewrite to_leaf_itself. unfold length. simpl. lra.
  - specialize (IH eq_refl). change (length W ((e, d) :: p)) with (variance W e + length W p).
    assert (L : 0 < label) by (destruct V as (_ & _ & _ & L & _); exact L).
    destruct e as [i|[j i]].
    + simpl comparisons. simpl cost. unfold start, finish, enter, leave in *. simpl in *.
      destruct d; simpl in *; rewrite to_leaf_itself; lra.
    + simpl comparisons. simpl in I. apply in_app_iff in I.
      assert (J : (1 <= j <= K)%nat).
      { destruct I as [I|I]; apply in_map_iff in I; destruct I as (c & E & I); [discriminate|].
        inversion E; subst. apply in_nodes in I. tauto. }
      assert (T : forall u, to_leaf u (start W (inr (j, i), d)) <=
        variance W (inr (j, i)) + to_leaf u (finish W (inr (j, i), d))).
      { intros u. pose proof (to_leaf_up u j i J) as A. fold W in A.
        pose proof (Rle_abs (to_leaf u (j, i) - to_leaf u (pred j, (i / B)%nat))) as A1.
        pose proof (Rle_abs (- (to_leaf u (j, i) - to_leaf u (pred j, (i / B)%nat)))) as A2.
        rewrite Rabs_Ropp in A2. destruct d.
        - change (to_leaf u (j, i) <= variance W (inr (j, i)) + to_leaf u (pred j, (i / B)%nat)). lra.
        - change (to_leaf u (pred j, (i / B)%nat) <= variance W (inr (j, i)) + to_leaf u (j, i)). lra. }
      eapply Rle_trans; [|apply Rplus_le_compat_l; exact IH].
      destruct (comparisons p) as [|t k]; cbn [cost].
      * apply T.
      * rewrite <- Rplus_assoc. apply Rplus_le_compat_r, T.
Qed.

Lemma comparisons_once p : NoDup (map fst p) -> NoDup (map fst (comparisons p)).
Proof.
  assert (Z : forall q i, In i (map fst (comparisons q)) -> In (inl i) (map fst q)).
  { induction q as [|[[i'|x] d] q IH]; simpl; [tauto| |]; intros i I.
    - destruct I as [<-|I]; auto.
    - auto. }
  induction p as [|[[i|x] d] p IH]; simpl; intros D; [constructor| |];
    inversion D as [|? ? N D']; subst; auto.
  constructor; auto.
Qed.

Lemma comparisons_inside x y p : walk W x y p ->
  forall t, In t (comparisons p) -> (fst t < n)%nat.
Proof.
  induction 1 as [x|[e d] y p I Wp IH]; simpl; [tauto|]. intros t H.
  destruct e as [i|x]; simpl in H; auto. destruct H as [<-|H]; auto. simpl in *.
  apply in_app_iff in I. destruct I as [I|I]; apply in_map_iff in I; destruct I as (c & E & I);
    [|discriminate]. inversion E; subst. apply in_seq in I. simpl. lia.
Qed.

(** All ways to make k comparisons of n, each in one of two directions. *)
Definition ways := flat_map (fun i => [(i, true); (i, false)]) (seq 0 n).

Fixpoint sequences (k : nat) : list (list (nat * bool)) :=
  match k with O => [[]] | S k => flat_map (fun l => map (fun t => t :: l) ways) (sequences k) end.

Definition once (l : list (nat * bool)) : bool :=
  if ListDec.NoDup_dec Nat.eq_dec (map fst l) then true else false.

Lemma in_ways t : (fst t < n)%nat -> In t ways.
Proof.
  intros I. apply in_flat_map. exists (fst t). split; [apply in_seq; lia|].
  destruct t as [i []]; simpl; auto.
Qed.

Lemma in_sequences (l : list (nat * bool)) : (forall t, In t l -> (fst t < n)%nat) -> In l (sequences (List.length l)).
Proof.
  induction l as [|t l IH]; simpl; intros H; auto. apply in_flat_map. exists l. split; auto.
  apply (in_map (fun t => t :: l)). apply in_ways. auto.
Qed.

Lemma at_most_n (l : list (nat * bool)) : (forall t, In t l -> (fst t < n)%nat) -> NoDup (map fst l) ->
  (List.length l <= n)%nat.
Proof.
  intros H D. rewrite <- (map_length fst l), <- (seq_length n 0).
  apply NoDup_incl_length; auto. intros i I. apply in_map_iff in I. destruct I as (t & <- & I).
  apply in_seq. specialize (H t I). lia.
Qed.

(** A distance is at least the cost of one of these ways. *)
Lemma distance_from_below y z d : distance W (leaf K y) (leaf K z) d ->
  exists l, In l (flat_map (fun k => filter once (sequences k)) (seq 0 (S n))) /\
    cost z (leaf K y) l <= d.
Proof.
  intros Hd. pose proof (world_positive B K n g left right label V) as P.
  destruct (p1_distance_is_attained node_dec edge_dec W _ _ d P Hd) as (p & Wp & S & <-).
  exists (comparisons p). split; [|now apply cost_at_most].
  pose proof (comparisons_once p (simple_edges_once W _ _ p Wp S)) as D.
  pose proof (comparisons_inside _ _ _ Wp) as I.
  apply in_flat_map. exists (List.length (comparisons p)). split.
  - apply in_seq. pose proof (at_most_n _ I D). lia.
  - apply filter_In. split; [now apply in_sequences|]. unfold once.
    destruct (ListDec.NoDup_dec Nat.eq_dec (map fst (comparisons p))); auto.
Qed.
End Tree.

Lemma sum_flat_map {A B} (h : A -> list B) l f :
  sum (flat_map h l) f = sum l (fun a => sum (h a) f).
Proof. induction l as [|a l IH]; simpl; auto. rewrite sum_app, IH. auto. Qed.

Lemma count_flat_map {A B} (h : A -> list B) l c :
  (forall a, List.length (h a) = c) -> List.length (flat_map h l) = (List.length l * c)%nat.
Proof. intros H. induction l as [|a l IH]; simpl; auto. rewrite app_length, H, IH. auto. Qed.

Lemma geometric m : sum (seq 0 m) (fun k => (/ 2) ^ k) <= 2 - 2 * (/ 2) ^ m.
Proof.
  induction m as [|m IH]; [simpl; lra|]. rewrite seq_S, sum_app. simpl in *. lra.
Qed.

Section Mean.
Variables (B K n : nat) (g : nat -> R) (label lambda : R).
Hypotheses (HB : (2 <= B)%nat) (HK : (1 <= K)%nat) (HF : falling g) (HL : 0 < label).
Hypothesis Hlambda : 0 < lambda.
Let N := (B ^ K)%nat.
Let M := (2 * n + 2)%nat.
Let average := mean_choice N M.

(** A chain: 2n + 2 responses are drawn, the first 2n compared in pairs, the last two asked for. *)
Definition first (s : nat -> nat) (i : nat) : nat := s (2 * i)%nat.
Definition second (s : nat -> nat) (i : nat) : nat := s (2 * i + 1)%nat.
Definition chain (s : nat -> nat) : network node (nat + node) :=
  world B K n g (first s) (second s) label.

Lemma N_pos : (1 <= N)%nat.
Proof. unfold N. assert (B ^ K <> 0)%nat by (apply Nat.pow_nonzero; lia). lia. Qed.

Lemma chain_valid s : choice N s -> valid B K n g (first s) (second s) label.
Proof. intros H. repeat split; auto; try apply HF; apply H. Qed.

Definition apart (u z : nat) : R := to_leaf B K g z (leaf K u).

Definition laplace : R :=
  sum (seq 0 (S K)) (fun j => / INR (B ^ j) * exp (- lambda * height K g j)).

Lemma meeting_spec z j : forall i, (j <= K)%nat -> (i < B ^ j)%nat -> (z < N)%nat ->
  (meeting B K z j i <= j)%nat /\ (i / B ^ (j - meeting B K z j i) = cell B K (meeting B K z j i) z)%nat.
Proof.
  induction j as [|j IH]; intros i J I Z; simpl meeting.
  - split; auto. simpl in I. rewrite Nat.sub_diag, Nat.pow_0_r, Nat.div_1_r. unfold cell.
    rewrite Nat.sub_0_r. replace i with 0%nat by lia. symmetry. now apply Nat.div_small.
  - destruct (Nat.eq_dec i (cell B K (S j) z)) as [Q|_].
    + split; auto. now rewrite Nat.sub_diag, Nat.pow_0_r, Nat.div_1_r.
    + destruct (IH (i / B)%nat) as (L & Q); try lia.
      { apply Nat.div_lt_upper_bound; [lia|]. exact I. }
      split; [lia|]. rewrite <- Q.
      replace (S j - meeting B K z j (i / B))%nat with (S (j - meeting B K z j (i / B))) by lia.
      rewrite Nat.pow_succ_r', Nat.div_div; auto; try lia. apply Nat.pow_nonzero. lia.
Qed.

Lemma mean_apart z : (z < N)%nat ->
  mean (seq 0 N) (fun u => exp (- lambda * apart u z)) <= laplace.
Proof.
  intros Z. pose proof N_pos as P.
  apply (Rle_trans _ (mean (seq 0 N) (fun u => sum (seq 0 (S K)) (fun j =>
    (if Nat.eq_dec (u / B ^ (K - j)) (cell B K j z) then 1 else 0)
    * exp (- lambda * height K g j))))).
  - apply mean_le. intros u I. apply in_seq in I.
    destruct (meeting_spec z K u) as (L & Q); auto; [unfold N in *; lia|].
    set (m := meeting B K z K u) in *.
    assert (apart u z = height K g m) as ->.
    { unfold apart, to_leaf. simpl. fold m. unfold height at 2. destruct (lt_dec K K); [lia|lra]. }
    apply (Rle_trans _ (sum [m] (fun j =>
      (if Nat.eq_dec (u / B ^ (K - j)) (cell B K j z) then 1 else 0)
      * exp (- lambda * height K g j)))).
    + simpl. destruct (Nat.eq_dec (u / B ^ (K - m)) (cell B K m z)); [lra|contradiction].
    + apply sum_part.
      * constructor; [tauto|constructor].
      * intros x [<-|[]]. apply in_seq. lia.
      * intros j _. apply Rmult_le_pos; [destruct (Nat.eq_dec _ _); lra|left; apply exp_pos].
  - unfold mean, Rdiv. rewrite sum_swap, Rmult_comm, <- sum_scal. unfold laplace. apply sum_le.
    intros j I. apply in_seq in I.
    rewrite (sum_ext (seq 0 N) _ (fun u => exp (- lambda * height K g j)
      * (if Nat.eq_dec (u / B ^ (K - j)) (cell B K j z) then 1 else 0))) by (intros; ring).
    rewrite sum_scal, <- Rmult_assoc, (Rmult_comm (/ count (seq 0 N))), Rmult_assoc,
      (Rmult_comm (/ INR (B ^ j))).
    apply Rmult_le_compat_l; [left; apply exp_pos|].
    assert (Pj : (0 < B ^ j)%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    assert (PC : (0 < B ^ (K - j))%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    pose proof (few_in_a_cell (B ^ (K - j)) N (cell B K j z) PC) as T.
    assert (count (seq 0 N) = INR (B ^ (K - j)) * INR (B ^ j)) as ->.
    { unfold count. rewrite seq_length. unfold N. rewrite <- mult_INR, <- Nat.pow_add_r.
      f_equal. f_equal. lia. }
    apply lt_INR in Pj, PC. simpl (INR 0) in *.
    apply (Rmult_le_reg_l (INR (B ^ (K - j)) * INR (B ^ j))); [now apply Rmult_lt_0_compat|].
    rewrite <- Rmult_assoc, Rinv_r by (apply Rgt_not_eq; now apply Rmult_lt_0_compat).
    rewrite Rmult_1_l. eapply Rle_trans; [exact T|]. right. field. lra.
Qed.

Lemma laplace_pos : 0 <= laplace.
Proof.
  apply sum_nonneg. intros j _. apply Rmult_le_pos; [|left; apply exp_pos].
  left. apply Rinv_0_lt_compat. apply lt_0_INR, Nat.neq_0_lt_0, Nat.pow_nonzero. lia.
Qed.

(** The ends of a comparison among the responses drawn, and what a way costs by them. *)
Definition going (t : nat * bool) : nat := if snd t then (2 * fst t)%nat else (2 * fst t + 1)%nat.
Definition coming (t : nat * bool) : nat := if snd t then (2 * fst t + 1)%nat else (2 * fst t)%nat.

Fixpoint way_cost (a : nat) (l : list (nat * bool)) (s : nat -> nat) : R :=
  match l with
  | [] => apart (s a) (s (2 * n + 1)%nat)
  | t :: k => apart (s a) (s (going t)) + way_cost (coming t) k s
  end.

Lemma way_cost_is l : forall a s,
  cost B K g (first s) (second s) (s (2 * n + 1)%nat) (leaf K (s a)) l = way_cost a l s.
Proof.
  induction l as [|[i d] l IH]; intros a s; [reflexivity|]. cbn [cost way_cost]. rewrite <- IH.
  unfold apart, enter, leave, going, coming, first, second. simpl fst. destruct d; reflexivity.
Qed.

Definition clear_of (a : nat) (l : list (nat * bool)) : Prop :=
  a <> (2 * n + 1)%nat /\ forall t, In t l -> a <> (2 * fst t)%nat /\ a <> (2 * fst t + 1)%nat.

Lemma way_cost_anew l : forall a b v s, clear_of a l -> b <> a ->
  way_cost b l (set s a v) = way_cost b l s.
Proof.
  induction l as [|t l IH]; intros a b v s (A & C) Nb; cbn [way_cost].
  - unfold set. destruct (Nat.eq_dec b a); [lia|].
    destruct (Nat.eq_dec (2 * n + 1) a); [lia|auto].
  - destruct (C t (or_introl eq_refl)) as (C1 & C2). rewrite IH.
    + f_equal. unfold set, going. destruct (Nat.eq_dec b a); [lia|].
      destruct (snd t); destruct (Nat.eq_dec _ a); auto; lia.
    + split; auto. intros u I. apply C. now right.
    + unfold coming. destruct (snd t); lia.
Qed.

(** Independence: each step of a way has the Laplace transform of one. *)
Lemma way_mean l : forall a, NoDup (map fst l) -> (forall t, In t l -> (fst t < n)%nat) ->
  (a < M)%nat -> clear_of a l ->
  average (fun s => exp (- lambda * way_cost a l s)) <= laplace ^ S (List.length l).
Proof.
  pose proof laplace_pos as P. pose proof N_pos as PN.
  induction l as [|t l IH]; intros a D I L (A & C); unfold average in *;
    rewrite (mean_choice_anew N PN M a) by auto.
  - simpl. rewrite Rmult_1_r. rewrite <- (mean_choice_const N PN M laplace).
    apply mean_choice_le; [exact PN|]. intros s Hs.
    rewrite (mean_ext _ _ (fun u => exp (- lambda * apart u (s (2 * n + 1)%nat)))).
    + apply mean_apart. apply Hs.
    + intros v _. do 2 f_equal. unfold set. destruct (Nat.eq_dec a a); [|congruence].
      destruct (Nat.eq_dec (n + (n + 0) + 1) a); [lia|]. f_equal. 
  - inversion D as [|? ? Nt D']; subst. destruct (C t (or_introl eq_refl)) as (C1 & C2).
    assert (Ca : clear_of a l) by (split; auto; intros u J; apply C; now right).
    assert (Cc : clear_of (coming t) l).
    { split; [unfold coming; specialize (I t (or_introl eq_refl)); destruct (snd t); lia|].
      intros u J. assert (fst u <> fst t).
      { intros Q. apply Nt. rewrite <- Q. now apply in_map. }
      unfold coming. destruct (snd t); lia. }
    apply (Rle_trans _ (mean_choice N M (fun s => laplace * exp (- lambda * way_cost (coming t) l s)))).
    + apply mean_choice_le; [exact PN|]. intros s Hs.
      rewrite (mean_ext _ _ (fun u => exp (- lambda * way_cost (coming t) l s)
        * exp (- lambda * apart u (s (going t))))).
      * rewrite mean_scal, Rmult_comm. apply Rmult_le_compat_r; [left; apply exp_pos|].
        apply mean_apart. apply Hs.
      * intros v _. cbn [way_cost]. rewrite way_cost_anew; auto.
        -- rewrite <- exp_plus. f_equal. unfold set at 1 2.
           destruct (Nat.eq_dec a a); [|congruence].
           destruct (Nat.eq_dec (going t) a) as [Q|_]; [|ring].
           unfold going in Q. destruct (snd t); lia.
        -- unfold coming. destruct (snd t); lia.
    + rewrite mean_choice_scal by exact PN. simpl. apply Rmult_le_compat_l; auto.
      apply IH; auto.
      * intros u J. apply I. now right.
      * unfold coming, M. specialize (I t (or_introl eq_refl)). destruct (snd t); lia.
Qed.

Lemma sequences_inside k : forall l, In l (sequences n k) ->
  List.length l = k /\ forall t, In t l -> (fst t < n)%nat.
Proof.
  induction k as [|k IH]; simpl; intros l I.
  - destruct I as [<-|[]]. split; auto. simpl. tauto.
  - apply in_flat_map in I. destruct I as (l' & J & I). apply in_map_iff in I.
    destruct I as (t & <- & I). destruct (IH l' J) as (Q & H). simpl. split; [lia|].
    intros u [<-|U]; auto. apply in_flat_map in I. destruct I as (i & Ii & I). apply in_seq in Ii.
    destruct I as [<-|[<-|[]]]; simpl; lia.
Qed.

Lemma sequences_count k : List.length (sequences n k) = ((2 * n) ^ k)%nat.
Proof.
  induction k as [|k IH]; auto. simpl sequences.
  rewrite (count_flat_map _ _ (2 * n)%nat); [rewrite IH; simpl; lia|].
  intros l. rewrite map_length. unfold ways.
  rewrite (count_flat_map _ _ 2%nat); [rewrite seq_length; lia|]. auto.
Qed.

Lemma count_filter {A} (h : A -> bool) l : count (filter h l) <= count l.
Proof.
  unfold count. apply le_INR. induction l as [|a l IH]; simpl; auto. destruct (h a); simpl; lia.
Qed.

Variable d : (nat -> nat) -> R.
Hypothesis Hd : forall s, choice N s ->
  distance (chain s) (leaf K (s (2 * n)%nat)) (leaf K (s (2 * n + 1)%nat)) (d s).

Let all := flat_map (fun k => filter once (sequences n k)) (seq 0 (S n)).

Lemma in_all l : In l all -> NoDup (map fst l) /\ forall t, In t l -> (fst t < n)%nat.
Proof.
  intros I. apply in_flat_map in I. destruct I as (k & _ & I). apply filter_In in I.
  destruct I as (I & O). split; [|now apply (sequences_inside k)]. unfold once in O.
  destruct (NoDup_dec Nat.eq_dec (map fst l)); [auto|discriminate].
Qed.

Lemma mean_exp_distance : 2 * INR n * laplace <= / 2 ->
  average (fun s => exp (- lambda * d s)) <= 2 * laplace.
Proof.
  intros Q. pose proof laplace_pos as P. pose proof N_pos as PN. unfold average.
  apply (Rle_trans _ (mean_choice N M (fun s =>
    sum all (fun l => exp (- lambda * way_cost (2 * n)%nat l s))))).
  - apply mean_choice_le; [exact PN|]. intros s Hs.
    destruct (distance_from_below B K n g (first s) (second s) label (chain_valid s Hs) _ _ _ (Hd s Hs))
      as (l & I & L). rewrite way_cost_is in L. fold all in I.
    apply (Rle_trans _ (sum [l] (fun l => exp (- lambda * way_cost (2 * n)%nat l s)))).
    + cbn [sum]. rewrite Rplus_0_r.
      assert (- lambda * d s <= - lambda * way_cost (2 * n)%nat l s) as [E|E].
      { rewrite !Ropp_mult_distr_l_reverse. apply Ropp_le_contravar, Rmult_le_compat_l; lra. }
      * left. now apply exp_increasing.
      * rewrite E. lra.
    + destruct (in_split l all I) as (l1 & l2 & ->). rewrite sum_app. cbn [sum].
      assert (Z : forall k : list (list (nat * bool)),
        0 <= sum k (fun l => exp (- lambda * way_cost (2 * n)%nat l s))).
      { intros k. apply sum_nonneg. intros. left. apply exp_pos. }
      pose proof (Z l1). pose proof (Z l2). lra.
  - rewrite mean_choice_sum by exact PN.
    apply (Rle_trans _ (sum all (fun l => laplace ^ S (List.length l)))).
    + apply sum_le. intros l I. destruct (in_all l I) as (D & L). apply way_mean; auto; [unfold M; lia|].
      split; [lia|]. intros t It. specialize (L t It). lia.
    + unfold all. rewrite sum_flat_map.
      apply (Rle_trans _ (sum (seq 0 (S n)) (fun k => laplace * (/ 2) ^ k))).
      * apply sum_le. intros k _.
        rewrite (sum_ext _ _ (fun _ => laplace ^ S k)).
        -- rewrite sum_const.
           apply (Rle_trans _ (count (sequences n k) * laplace ^ S k)).
           ++ apply Rmult_le_compat_r; [now apply pow_le|apply count_filter].
           ++ unfold count. rewrite sequences_count, pow_INR, mult_INR. simpl (INR 2).
              replace ((2 * INR n) ^ k * laplace ^ S k) with (laplace * (2 * INR n * laplace) ^ k)
                by (rewrite Rpow_mult_distr; simpl; ring).
              replace (((1 + 1) * INR n) ^ k * laplace ^ S k)
                with (laplace * (2 * INR n * laplace) ^ k)
                by (replace (1 + 1) with 2 by ring; rewrite !Rpow_mult_distr; simpl; ring).
              apply Rmult_le_compat_l; auto. apply pow_incr. split; [|exact Q].
              apply Rmult_le_pos; auto. apply Rmult_le_pos; [lra|apply pos_INR].
        -- intros l I. apply filter_In in I. destruct I as (I & _).
           destruct (sequences_inside k l I) as (-> & _). reflexivity.
      * rewrite sum_scal, Rmult_comm. apply Rmult_le_compat_r; auto.
        pose proof (geometric (S n)). assert (0 < (/ 2) ^ S n) by (apply pow_lt; lra).
        change (sum (seq 0 (S n)) (fun k => (/ 2) ^ k) <= 2). lra.
Qed.

(** Jensen's inequality for means over choices. *)
Lemma jensen (f : (nat -> nat) -> R) : exp (average f) <= average (fun s => exp (f s)).
Proof.
  pose proof N_pos as PN. unfold average. set (m := mean_choice N M f).
  apply (Rle_trans _ (mean_choice N M (fun s => exp m * f s + exp m * (1 - m)))).
  - rewrite mean_choice_plus, mean_choice_scal, mean_choice_const by exact PN. fold m. right. ring.
  - apply mean_choice_le; [exact PN|]. intros s _. pose proof (exp_tangent m (f s)). lra.
Qed.

(** claim: P5
    says: For a chain of n ≥ 1 comparisons in the finite hierarchy, with any falling g and any σ² > 0,
      let Φ(λ) be the sum over depths j = 0 … K of B^(-j) exp(-λ g(j)), with 0 for g(K). Wherever
      2n Φ(λ) ≤ 1/2, the mean inference distance is at least log(2n)/λ.
    tex: 2n\,\Phi(\lambda)\le\tfrac12\implies\mathbb E[d]\ge\frac{\log 2n}\lambda,\qquad
      \Phi(\lambda)=\sum_{j=0}^KB^{-j}e^{-\lambda g(j)} *)
Theorem p5_chain_from_below : (1 <= n)%nat -> 2 * INR n * laplace <= / 2 ->
  ln (2 * INR n) / lambda <= average d.
Proof.
  intros Hn Q. pose proof N_pos as PN.
  assert (n1 : 1 <= INR n) by (apply (le_INR 1); auto).
  pose proof (mean_exp_distance Q) as U. pose proof (jensen (fun s => - lambda * d s)) as J.
  assert (E : average (fun s => - lambda * d s) = - lambda * average d)
    by (apply mean_choice_scal; exact PN).
  rewrite E in J.
  assert (T : exp (- lambda * average d) <= exp (- ln (2 * INR n))).
  { eapply Rle_trans; [exact J|]. eapply Rle_trans; [exact U|].
    rewrite exp_Ropp, exp_ln by lra. apply (Rmult_le_reg_l (2 * INR n)); [lra|].
    rewrite Rinv_r by lra. lra. }
  assert (L : - lambda * average d <= - ln (2 * INR n)).
  { destruct (Rle_dec (- lambda * average d) (- ln (2 * INR n))) as [|No]; auto.
    apply Rnot_le_lt, exp_increasing in No. lra. }
  apply (Rmult_le_reg_l lambda); auto.
  replace (lambda * (ln (2 * INR n) / lambda)) with (ln (2 * INR n)) by (field; lra). lra.
Qed.
End Mean.

Section Power.
Variables (B K n : nat) (I alpha label : R).
Hypotheses (HB : (2 <= B)%nat) (HI : 0 < I) (HA : 0 < alpha) (HL : 0 < label).
Hypotheses (Hn : (1 <= n)%nat) (HK : (16 * n <= B ^ K)%nat).
Let g := power_family B I alpha.
Let lambda := 2 / alpha * Rpower (16 * INR n) alpha / I.

Lemma small_exponential x : 0 < x -> exp (- (2 / alpha * Rpower x (- alpha))) <= x ^ 2.
Proof.
  intros P. set (y := Rpower x (- alpha)).
  assert (L : ln y = - alpha * ln x) by (unfold y, Rpower; apply ln_exp).
  assert (Q : ln y <= y).
  { pose proof (exp_ineq1_le (ln y)) as T. rewrite exp_ln in T by apply exp_pos. lra. }
  replace (x ^ 2) with (exp (2 * ln x)).
  - assert (Z : - (2 / alpha * y) <= 2 * ln x).
    { replace (2 * ln x) with (- (2 / alpha * ln y)) by (rewrite L; field; lra).
      apply Ropp_le_contravar, Rmult_le_compat_l; auto.
      left. apply Rdiv_lt_0_compat; lra. }
    destruct Z as [Z|Z]; [left; now apply exp_increasing|rewrite Z; lra].
  - replace (2 * ln x) with (ln x + ln x) by ring. rewrite exp_plus, exp_ln by auto. ring.
Qed.

Lemma inverse_powers m : forall j, sum (seq j m) (fun i => / INR (B ^ i)) <= 2 * / INR (B ^ j).
Proof.
  assert (P : forall j, 0 < INR (B ^ j))
    by (intros; apply lt_0_INR, Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
  assert (B2 : 2 <= INR B) by (apply (le_INR 2) in HB; simpl in HB; lra).
  induction m as [|m IH]; intros j; simpl.
  - pose proof (Rinv_0_lt_compat _ (P j)). lra.
  - specialize (IH (S j)). pose proof (P j) as Pj.
    assert (/ INR (B ^ S j) <= / 2 * / INR (B ^ j)).
    { simpl. rewrite mult_INR, Rinv_mult. apply Rmult_le_compat_r.
      - left. now apply Rinv_0_lt_compat.
      - apply Rinv_le_contravar; lra. }
    simpl in *. lra.
Qed.

Lemma powers m : sum (seq 0 (S m)) (fun j => INR (B ^ j)) <= 2 * INR (B ^ m).
Proof.
  assert (B2 : 2 <= INR B) by (apply (le_INR 2) in HB; simpl in HB; lra).
  induction m as [|m IH]; [simpl; lra|]. rewrite seq_S, sum_app. cbn [sum plus].
  assert (INR (B ^ S m) = INR B * INR (B ^ m)) as E by (simpl; apply mult_INR).
  assert (0 <= INR (B ^ m)) by apply pos_INR. nra.
Qed.

Lemma lambda_pos : 0 < lambda.
Proof.
  unfold lambda. apply Rdiv_lt_0_compat; auto. apply Rmult_lt_0_compat; [|apply exp_pos].
  apply Rdiv_lt_0_compat; lra.
Qed.

Lemma laplace_small : 2 * INR n * laplace B K g lambda <= / 2.
Proof.
  assert (n1 : 1 <= INR n) by (apply (le_INR 1); auto).
  assert (B2 : 2 <= INR B) by (apply (le_INR 2) in HB; simpl in HB; lra).
  destruct (least_depth B HB (4 * n) K) as (k & Hk & Mk & Mk'); [lia|lia|].
  assert (PB : forall j, 0 < INR (B ^ j))
    by (intros; apply lt_0_INR, Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
  apply le_INR in Mk. apply lt_INR in Mk'. rewrite !mult_INR in Mk, Mk'. simpl (INR 4) in *.
  set (x := 16 * INR n) in *.
  assert (Px : 16 <= x) by (unfold x; lra).
  assert (Low : x <= INR (B ^ k)) by (unfold x; lra).
  assert (High : INR (B ^ (k - 1)) < x) by (unfold x; lra).
  unfold laplace. replace (S K) with (k + (S K - k))%nat by lia. rewrite seq_app, sum_app. simpl (0 + k)%nat.
  assert (First : sum (seq 0 k) (fun j => / INR (B ^ j) * exp (- lambda * height K g j)) <= 2 / x).
  { apply (Rle_trans _ (sum (seq 0 k) (fun j => / x ^ 2 * INR (B ^ j)))).
    - apply sum_le. intros j J. apply in_seq in J. pose proof (PB j) as Pj.
      assert (E : - lambda * height K g j = - (2 / alpha * Rpower (INR (B ^ j) / x) (- alpha))).
      { unfold height. destruct (lt_dec j K); [|lia]. unfold lambda, g, power_family. fold x.
        assert (Rpower (INR (B ^ j) / x) (- alpha)
          = Rpower x alpha * Rpower (INR B) (- alpha * INR j)) as ->.
        { unfold Rdiv. rewrite <- Rpower_mult_distr by (try apply Rinv_0_lt_compat; lra).
          rewrite Rmult_comm. f_equal.
          - replace (/ x) with (Rpower x (- (1))) by (rewrite Rpower_Ropp, Rpower_1 by lra; auto).
            rewrite Rpower_mult. f_equal. ring.
          - rewrite pow_INR, <- Rpower_pow, Rpower_mult by lra. f_equal. ring. }
        field. lra. }
      rewrite E. pose proof (small_exponential (INR (B ^ j) / x)) as T.
      assert (0 < INR (B ^ j) / x) as Pq by (apply Rdiv_lt_0_compat; lra). specialize (T Pq).
      apply (Rle_trans _ (/ INR (B ^ j) * (INR (B ^ j) / x) ^ 2)).
      + apply Rmult_le_compat_l; auto. left. now apply Rinv_0_lt_compat.
      + right. field. split; lra.
    - rewrite sum_scal. destruct k as [|m]; [lia|]. replace (S m - 1)%nat with m in High by lia.
      pose proof (powers m) as T.
      apply (Rle_trans _ (/ x ^ 2 * (2 * x))).
      + apply Rmult_le_compat_l; [left; apply Rinv_0_lt_compat, pow_lt; lra|].
        eapply Rle_trans; [exact T|]. lra.
      + right. field. lra. }
  assert (Last : sum (seq k (S K - k)) (fun j => / INR (B ^ j) * exp (- lambda * height K g j))
    <= 2 / x).
  { apply (Rle_trans _ (sum (seq k (S K - k)) (fun j => / INR (B ^ j)))).
    - apply sum_le. intros j _. rewrite <- (Rmult_1_r (/ INR (B ^ j))) at 2.
      apply Rmult_le_compat_l; [left; apply Rinv_0_lt_compat, PB|].
      rewrite <- exp_0. assert (Z : 0 <= lambda * height K g j).
      { apply Rmult_le_pos; [left; apply lambda_pos|]. unfold height. destruct (lt_dec j K); [|lra].
        unfold g, power_family. left. apply Rmult_lt_0_compat; [auto|apply exp_pos]. }
      destruct Z as [Z|Z].
      + left. apply exp_increasing. lra.
      + right. f_equal. lra.
    - eapply Rle_trans; [apply inverse_powers|]. unfold Rdiv. apply Rmult_le_compat_l; [lra|].
      apply Rinv_le_contravar; lra. }
  apply (Rle_trans _ (2 * INR n * (2 / x + 2 / x))).
  - apply Rmult_le_compat_l; [lra|]. now apply Rplus_le_compat.
  - right. unfold x. field. lra.
Qed.

Lemma depth_some : (1 <= K)%nat.
Proof. destruct K; [simpl in HK; lia|lia]. Qed.

(** claim: P5
    part: lower bound of a chain
    says: In every finite hierarchy of 16n responses or more, power family of any α > 0, 2n + 2
      responses are drawn independently and uniformly, the first 2n compared in disjoint pairs at
      any σ² > 0. The mean inference distance of the last two is at least
      (α/2) I log(2n)/(16n)^α. So a chain's mean path distance is at least of the order of
      I n^(-α) log n.
    tex: \mathbb E[d]\ge\frac\alpha2\,I\,\frac{\log2n}{(16n)^\alpha} *)
Theorem p5_chain_lower_bound (d : (nat -> nat) -> R) :
  (forall s, choice (B ^ K) s -> distance
    (world B K n (power_family B I alpha) (fun i => s (2 * i)%nat) (fun i => s (2 * i + 1)%nat) label)
    (leaf K (s (2 * n)%nat)) (leaf K (s (2 * n + 1)%nat)) (d s)) ->
  alpha / 2 * I * ln (2 * INR n) / Rpower (16 * INR n) alpha
  <= mean_choice (B ^ K) (2 * n + 2) d.
Proof.
  intros Hd.
  assert (Pr : 0 < Rpower (16 * INR n) alpha) by apply exp_pos.
  replace (alpha / 2 * I * ln (2 * INR n) / Rpower (16 * INR n) alpha)
    with (ln (2 * INR n) / lambda) by (unfold lambda; field; lra).
  apply (p5_chain_from_below B K n g label lambda HB depth_some (power_falling B I alpha HB HI HA) HL
    lambda_pos d Hd Hn laplace_small).
Qed.
End Power.

(** What is not so. *)

Lemma distance_of {V E} (N : network V E) x y : positive N -> connected N x y ->
  {d | distance N x y d}.
Proof.
  intros P C.
  destruct (completeness (fun b => exists q, walk N x y q /\ b = - length N q)) as (m & U & L).
  - exists 0. intros b (q & Wq & ->). pose proof (length_nonneg N x y q P Wq). lra.
  - destruct C as (p & W). exists (- length N p), p. auto.
  - exists (- m). split.
    + intros q Wq. assert (- length N q <= m) by (apply U; exists q; auto). lra.
    + intros b H. assert (m <= - b); [|lra]. apply L. intros c (q & Wq & ->).
      specialize (H q Wq). lra.
Qed.

Section Exists.
Variables (B K n : nat) (g : nat -> R) (label : R).
Hypotheses (HB : (2 <= B)%nat) (HK : (1 <= K)%nat) (HF : falling g) (HL : 0 < label).
Let N := (B ^ K)%nat.

Definition clip (s : nat -> nat) (c : nat) : nat := if lt_dec (s c) N then s c else 0%nat.

Lemma clip_choice s : choice N (clip s).
Proof.
  intros c. unfold clip. destruct (lt_dec (s c) N); auto. pose proof (N_pos B K n HB HK). unfold N. lia.
Qed.

Lemma clip_same s : choice N s -> clip s = s.
Proof.
  intros H. apply functional_extensionality. intros c. unfold clip. specialize (H c).
  destruct (lt_dec (s c) N); [auto|lia].
Qed.

(** claim: P5
    says: So that the bound is of something. Every draw has an inference distance.
    tex: \forall s\ \exists\,d(s) *)
Theorem p5_means_exist : exists d, forall s, choice N s ->
  distance (chain B K n g label s) (leaf K (s (2 * n)%nat)) (leaf K (s (2 * n + 1)%nat)) (d s).
Proof.
  assert (P : forall s, positive (chain B K n g label (clip s))).
  { intros s. apply world_positive. apply chain_valid; auto. apply clip_choice. }
  assert (C : forall s, connected (chain B K n g label (clip s))
    (leaf K (clip s (2 * n)%nat)) (leaf K (clip s (2 * n + 1)%nat))).
  { intros s. eapply responses_connected.
    - apply chain_valid; auto. apply clip_choice.
    - apply in_seq. pose proof (clip_choice s (2 * n)%nat). unfold N in *. lia.
    - apply in_seq. pose proof (clip_choice s (2 * n + 1)%nat). unfold N in *. lia. }
  exists (fun s => proj1_sig (distance_of _ _ _ (P s) (C s))). intros s H.
  destruct (distance_of _ _ _ (P s) (C s)) as (d & D). simpl.
  rewrite (clip_same s H) in D. exact D.
Qed.

Lemma chain_at_most d : (forall s, choice N s ->
    distance (chain B K n g label s) (leaf K (s (2 * n)%nat)) (leaf K (s (2 * n + 1)%nat)) (d s)) ->
  mean_choice N (2 * n + 2) d <= g 0%nat.
Proof.
  intros H. pose proof (N_pos B K n HB HK) as PN. fold N in PN.
  rewrite <- (mean_choice_const N PN (2 * n + 2) (g 0%nat)).
  apply mean_choice_le; [exact PN|]. intros s Hs.
  pose proof (chain_valid B K n g label HB HK HF HL s Hs) as V.
  assert (Y : forall c, In (s c) (responses B K)).
  { intros c. apply in_seq. specialize (Hs c). unfold N in Hs. lia. }
  destruct (cell_walk _ _ _ _ _ _ _ V 0 (s (2 * n)%nat) (s (2 * n + 1)%nat)) as (p & W & L); auto.
  - now rewrite !(cell_root B K) by auto.
  - rewrite <- L. now apply (H s Hs).
Qed.
End Exists.

Lemma beyond x : 0 < x -> exists n, x < INR n.
Proof.
  intros P. destruct (archimed x) as (A & _). exists (Z.to_nat (up x)).
  rewrite INR_IZR_INZ, Z2Nat.id; [exact A|]. apply le_IZR. lra.
Qed.

(** claim: P5
    mutant: a lower bound of the order of I log n, the factor n^(-α) left out
    says: The mean distance never exceeds I, while log n grows beyond every bound.
    tex: \forall c>0\ \exists\,n:\ \mathbb E[d]<c\,I\log2n *)
Theorem p5_chain_falls : forall c, 0 < c ->
  ~ (forall B K n I alpha label d, (2 <= B)%nat -> 0 < I -> 0 < alpha -> 0 < label ->
      (1 <= n)%nat -> (16 * n <= B ^ K)%nat ->
      (forall s, choice (B ^ K) s -> distance
        (world B K n (power_family B I alpha) (fun i => s (2 * i)%nat) (fun i => s (2 * i + 1)%nat)
          label)
        (leaf K (s (2 * n)%nat)) (leaf K (s (2 * n + 1)%nat)) (d s)) ->
      c * I * ln (2 * INR n) <= mean_choice (B ^ K) (2 * n + 2) d).
Proof.
  intros c C H. destruct (beyond (exp (2 / c)) (exp_pos _)) as (n & Hn).
  assert (n1 : (1 <= n)%nat).
  { destruct n; [|lia]. simpl in Hn. pose proof (exp_pos (2 / c)). lra. }
  set (K := (16 * n)%nat).
  assert (HK : (16 * n <= 2 ^ K)%nat).
  { unfold K. apply Nat.lt_le_incl, Nat.pow_gt_lin_r. lia. }
  assert (K1 : (1 <= K)%nat) by (unfold K; lia).
  assert (F : falling (power_family 2 1 1)) by (apply power_falling; auto; lra).
  destruct (p5_means_exist 2 K n (power_family 2 1 1) 1) as (d & D); auto; try lra.
  specialize (H 2%nat K n 1 1 1 d).
  assert (U : c * 1 * ln (2 * INR n) <= mean_choice (2 ^ K) (2 * n + 2) d).
  { apply H; auto; try lra. }
  pose proof (chain_at_most 2 K n (power_family 2 1 1) 1 (le_n 2) K1 F Rlt_0_1 d D) as A.
  assert (power_family 2 1 1 0 = 1) as E.
  { unfold power_family. simpl (INR 0). rewrite Rmult_0_r, Rpower_O; simpl; lra. }
  rewrite E in A.
  assert (L : 2 / c < ln (2 * INR n)).
  { rewrite <- (ln_exp (2 / c)). apply ln_increasing; [apply exp_pos|].
    pose proof (exp_pos (2 / c)). lra. }
  apply (Rmult_lt_compat_l c) in L; auto.
  replace (c * (2 / c)) with 2 in L by (field; lra). lra.
Qed.

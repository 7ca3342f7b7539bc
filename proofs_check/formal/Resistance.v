(** Effective resistance: E1, with the bridges from potentials to flows and to variances. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Networks.
Import ListNotations.
Open Scope R_scope.

Section Resistance.
Context {V E : Type}.
Variable dec : forall x y : V, {x = y} + {x <> y}.
Variable edec : forall e f : E, {e = f} + {e <> f}.
Implicit Types (N : network V E) (a b x y : V).

Definition drop N (h : V -> R) (e : E) : R := h (source N e) - h (target N e).

(** Current enters at a, leaves at b, and is kept at every other node: for every function on the
    nodes, the flow carries its difference between a and b. *)
Definition unit_flow N a b (f : E -> R) :=
  forall h, sum (edges N) (fun e => f e * drop N h e) = h a - h b.

Definition energy N (f : E -> R) : R := sum (edges N) (fun e => variance N e * (f e * f e)).

(** The current that a potential drives through the edges, resistors of their variances (Ohm). *)
Definition current N (h : V -> R) (e : E) : R := drop N h e / variance N e.

(** The effective resistance: the drop of a potential that drives unit current (Kirchhoff). *)
Definition resistance N a b (r : R) :=
  exists h, unit_flow N a b (current N h) /\ r = h a - h b.

Lemma energy_current N a b h : positive N -> unit_flow N a b (current N h) ->
  energy N (current N h) = h a - h b.
Proof.
  intros P U. rewrite <- U. apply sum_ext. intros e I. unfold current. field.
  specialize (P e I). lra.
Qed.

Lemma energy_nonneg N f : positive N -> 0 <= energy N f.
Proof. intros P. apply sum_nonneg. intros e I. specialize (P e I). nra. Qed.

Lemma energy_least N a b h f : positive N -> unit_flow N a b (current N h) ->
  unit_flow N a b f -> energy N (current N h) <= energy N f.
Proof.
  intros P U W.
  assert (C : sum (edges N) (fun e => (f e - current N h e) * drop N h e) = 0).
  { rewrite (sum_ext _ _ (fun e => f e * drop N h e - current N h e * drop N h e))
      by (intros; lra). rewrite sum_minus, U, W. lra. }
  assert (D : energy N f = energy N (current N h)
    + 2 * sum (edges N) (fun e => (f e - current N h e) * drop N h e)
    + energy N (fun e => f e - current N h e)).
  { unfold energy. rewrite <- sum_scal, <- !sum_plus. apply sum_ext. intros e I.
    unfold current. field. specialize (P e I). lra. }
  pose proof (energy_nonneg N (fun e => f e - current N h e) P). lra.
Qed.

(** claim: E1
    says: Thomson's principle. The effective resistance is the least energy of a unit flow: the
      current that its potential drives has it, and no other unit flow has less.
    tex: R(a,b)=\min\Bigl\{\sum_e\sigma_e^2f_e^2:\ f\text{ a unit flow from }a\text{ to }b\Bigr\} *)
Theorem e1_thomson N a b r : positive N -> resistance N a b r ->
  (exists f, unit_flow N a b f /\ energy N f = r) /\
  (forall f, unit_flow N a b f -> r <= energy N f).
Proof.
  intros P (h & U & ->). rewrite <- (energy_current N a b h P U). split.
  - exists (current N h). auto.
  - intros f W. now apply (energy_least N a b).
Qed.

Lemma resistance_unique N a b r r' :
  positive N -> resistance N a b r -> resistance N a b r' -> r = r'.
Proof.
  intros P H H'. destruct (e1_thomson N a b r P H) as ((f & U & <-) & L).
  destruct (e1_thomson N a b r' P H') as ((f' & U' & <-) & L'). apply Rle_antisym; auto.
Qed.

Lemma resistance_refl N a : resistance N a a 0.
Proof.
  exists (fun _ => 0). split; [|lra]. intros h.
  rewrite (sum_ext _ _ (fun _ => 0)); [rewrite sum_zero; lra|].
  intros. unfold current, drop, Rdiv. rewrite Rminus_eq_0. lra.
Qed.

(** Paths carry unit flows. *)

Definition sign (s : @step E) : R := if snd s then 1 else -1.

Definition along (p : list (@step E)) (e : E) : R :=
  sum p (fun s => if edec e (fst s) then sign s else 0).

Lemma along_carries N x y p : NoDup (edges N) -> walk N x y p -> unit_flow N x y (along p).
Proof.
  intros D W. induction W as [x|[e d] y p I W IH]; intros h.
  - rewrite (sum_ext _ _ (fun _ => 0)); [rewrite sum_zero; lra|]. unfold along. simpl. intros. lra.
  - rewrite (sum_ext _ _ (fun c =>
      (if edec c e then sign (c, d) * drop N h c else 0) + along p c * drop N h c)).
    + rewrite sum_plus, IH, (sum_at edec _ _ (fun c => sign (c, d) * drop N h c)); auto.
      unfold sign, drop, start, finish. simpl. destruct d; lra.
    + intros c _. unfold along. simpl. unfold sign. simpl. destruct (edec c e); lra.
Qed.

(** A path is simple if it visits no node twice: neither do its steps start at one, nor at its end. *)
Definition starts N (p : list (@step E)) := map (start N) p.
Definition simple N y p := NoDup (y :: starts N p).

Lemma from_a_start N x y p a : walk N x y p -> In a (starts N p) -> simple N y p ->
  exists q q', p = q ++ q' /\ walk N a y q' /\ simple N y q'.
Proof.
  intros W. induction W as [x|s y p I W IH]; simpl; [tauto|]. intros [<-|H] S.
  - exists [], (s :: p). repeat split; auto. now constructor.
  - destruct IH as (q & q' & -> & W' & S'); auto.
    + unfold simple in *. simpl in S. inversion S as [|? ? A B]; subst. inversion B; subst.
      constructor; auto. simpl in A. tauto.
    + exists (s :: q), q'. auto.
Qed.

Lemma shorten N x y p : positive N -> walk N x y p ->
  exists q, walk N x y q /\ simple N y q /\ length N q <= length N p.
Proof.
  intros P W. induction W as [x|s y p I W (q & Wq & S & L)].
  - exists []. repeat split; [constructor| |lra]. constructor; [tauto|constructor].
  - assert (0 < variance N (fst s)) by auto.
    destruct (in_dec dec (start N s) (y :: starts N q)) as [[Q|Q]|Q].
    + rewrite <- Q. exists []. repeat split; [constructor|constructor; [tauto|constructor]|].
      pose proof (length_nonneg N _ _ p P W). unfold length in *. simpl. lra.
    + destruct (from_a_start N _ _ _ _ Wq Q S) as (q1 & q2 & -> & W2 & S2).
      exists q2. repeat split; auto. rewrite length_app in L.
      assert (0 <= length N q1).
      { apply sum_nonneg. intros t It. left. apply P. apply (walk_inside N _ _ _ Wq).
        apply in_app_iff. auto. }
      unfold length in *. simpl. lra.
    + exists (s :: q). repeat split; [now constructor| |unfold length in *; simpl; lra].
      unfold simple in *. simpl in *. inversion S; subst. constructor; [|constructor]; auto.
      intros [Z|Z]; [apply Q; now left|contradiction].
Qed.

Lemma finish_visited N x y p : walk N x y p -> forall s, In s p -> In (finish N s) (y :: starts N p).
Proof.
  induction 1 as [|s y p I W IH]; simpl; [tauto|]. intros t [<-|H].
  - inversion W; subst; simpl; auto.
  - destruct (IH t H); auto.
Qed.

Lemma simple_edges_once N x y p : walk N x y p -> simple N y p -> NoDup (map fst p).
Proof.
  intros W. induction W as [|s y p I W IH]; simpl; [constructor|]. intros S.
  unfold simple in *. simpl in S.
  assert (S' : NoDup (y :: starts N p)).
  { inversion S as [|? ? A B]; subst. inversion B; subst. constructor; auto. simpl in A. tauto. }
  assert (F : ~ In (start N s) (y :: starts N p)).
  { inversion S as [|? ? A B]; subst. inversion B; subst. simpl in *.
    intros [Z|Z]; [apply A; now left|contradiction]. }
  constructor; auto. intros H. apply in_map_iff in H. destruct H as ((e & d) & Q & H).
  destruct s as [e' d']. simpl in Q. subst e'. apply F.
  destruct (Bool.bool_dec d d') as [->|Q].
  - right. unfold starts. now apply in_map.
  - replace (start N (e, d')) with (finish N (e, d)); [now apply (finish_visited N _ _ _ W)|].
    destruct d, d'; auto; congruence.
Qed.

Lemma along_none p e : ~ In e (map fst p) -> along p e = 0.
Proof.
  intros H. unfold along. rewrite (sum_ext _ _ (fun _ => 0)); [apply sum_zero|].
  intros s I. destruct (edec e (fst s)) as [->|]; auto. destruct H. now apply in_map.
Qed.

(** Along a path that uses no edge twice, the energy is the length. *)
Lemma energy_along N p : NoDup (edges N) -> incl (map fst p) (edges N) -> NoDup (map fst p) ->
  energy N (along p) = length N p.
Proof.
  intros D. induction p as [|s p IH]; simpl; intros I S.
  - unfold energy, length. simpl. rewrite (sum_ext _ _ (fun _ => 0)); [apply sum_zero|].
    intros. unfold along. simpl. lra.
  - inversion S; subst. unfold length. simpl. fold (length N p). rewrite <- IH; auto.
    + unfold energy.
      rewrite (sum_ext _ _ (fun c => (if edec c (fst s) then variance N c else 0)
        + variance N c * (along p c * along p c))).
      * rewrite sum_plus, (sum_at edec _ _ (variance N)); auto. apply I. now left.
      * intros c _. change (along (s :: p) c) with ((if edec c (fst s) then sign s else 0) + along p c).
        destruct (edec c (fst s)) as [->|]; [|rewrite Rplus_0_l; lra].
        rewrite along_none by auto. unfold sign. destruct (snd s); lra.
    + intros c Ic. apply I. now right.
Qed.

Lemma resistance_below_walk N a b r p : positive N -> NoDup (edges N) ->
  resistance N a b r -> walk N a b p -> r <= length N p.
Proof.
  intros P D H W. destruct (shorten N a b p P W) as (q & Wq & S & L).
  eapply Rle_trans; [|exact L].
  rewrite <- (energy_along N q D).
  - apply (e1_thomson N a b r P H). now apply along_carries.
  - intros e I. apply in_map_iff in I. destruct I as (s & <- & I).
    now apply (walk_inside N _ _ _ Wq).
  - now apply (simple_edges_once N a b).
Qed.

(** claim: E1
    check: networks; small graphs; spanning trees
    says: In every finite network of positive variances, parallel edges allowed, the effective
      resistance of a pair is at most the length of every walk between them, and so at most the
      inference distance.
    tex: R(y_1,y_2)\le\sum_{e\in\text{walk}}\sigma_e^2,\qquad R(y_1,y_2)\le d(y_1,y_2) *)
Theorem e1_resistance_below_distance N a b r d : positive N -> NoDup (edges N) ->
  resistance N a b r -> distance N a b d ->
  (forall p, walk N a b p -> r <= length N p) /\ r <= d.
Proof.
  intros P D H (_ & G).
  assert (L : forall p, walk N a b p -> r <= length N p).
  { intros. now apply (resistance_below_walk N a b). }
  auto.
Qed.

(** claim: E1
    says: Rayleigh's principle. Where every variance is at least as large, so is the effective
      resistance.
    tex: \sigma_e^2\le\tau_e^2\ \text{for all }e\implies R_\sigma(a,b)\le R_\tau(a,b) *)
Theorem e1_rayleigh (es : list E) (s t : E -> V) (v v' : E -> R) a b r r' :
  positive (Network es s t v) -> (forall e, In e es -> v e <= v' e) ->
  resistance (Network es s t v) a b r -> resistance (Network es s t v') a b r' -> r <= r'.
Proof.
  intros P L H H'.
  assert (P' : positive (Network es s t v')).
  { intros e I. simpl in *. specialize (P e I). specialize (L e I). simpl in P. lra. }
  destruct (e1_thomson _ a b r' P' H') as ((f & U & <-) & _).
  destruct (e1_thomson _ a b r P H) as (_ & T).
  eapply Rle_trans; [apply (T f); exact U|]. apply sum_le. simpl. intros e I.
  specialize (L e I). nra.
Qed.

End Resistance.

(** Every connected pair has an effective resistance; what else it is, for E1. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums Networks Resistance.
Import ListNotations.
Open Scope R_scope.

Section Existence.
Context {V E : Type}.
Variable dec : forall x y : V, {x = y} + {x <> y}.
Variables (s t : E -> V) (v : E -> R).
Let net (es : list E) : network V E := Network es s t v.

Lemma connected_more es e x y : connected (net es) x y -> connected (net (e :: es)) x y.
Proof.
  intros (p & W). exists p. induction W as [x|st y p I W IH]; [constructor|].
  apply (go (net (e :: es)) st); [now right|exact IH].
Qed.

Lemma connected_new es e : connected (net (e :: es)) (s e) (t e).
Proof. apply (connected_edge (net (e :: es)) e). now left. Qed.

(** The parts of a network can be told apart. *)
Lemma parts es : exists part : V -> V, forall x y, connected (net es) x y <-> part x = part y.
Proof.
  induction es as [|e es (part & H)].
  - exists (fun x => x). split.
    + intros (p & W). inversion W as [|? ? ? I]; subst; [auto|contradiction].
    + intros ->. apply connected_refl.
  - exists (fun x => if dec (part x) (part (t e)) then part (s e) else part x). intros x y. split.
    + intros (p & W). induction W as [x|[f d] y p I W IH]; [auto|]. rewrite <- IH.
      simpl in I. unfold start, finish. simpl. destruct I as [<-|I].
      * destruct d; simpl; destruct (dec (part (t e)) (part (t e))); try congruence;
          destruct (dec (part (s e)) (part (t e))); congruence.
      * assert (part (s f) = part (t f)) as Q by (apply H, (connected_edge (net es) f); auto).
        destruct d; simpl; now rewrite Q.
    + pose proof (connected_new es e) as C. pose proof (connected_sym _ _ _ C) as C'.
      assert (M : forall a b, part a = part b -> connected (net (e :: es)) a b)
        by (intros; apply connected_more; now apply H).
      destruct (dec (part x) (part (t e))) as [A|A], (dec (part y) (part (t e))) as [B|B]; intros Q.
      * apply M. congruence.
      * eapply connected_trans; [apply (M x (t e)); auto|].
        eapply connected_trans; [exact C'|]. apply M; auto.
      * eapply connected_trans; [apply (M x (s e)); auto|].
        eapply connected_trans; [exact C|]. apply M; auto.
      * apply M; auto.
Qed.

Definition drives es a b h := unit_flow (net es) a b (current (net es) h).

Lemma drives_add es a b c h k :
  drives es a b h -> drives es b c k -> drives es a c (fun x => h x + k x).
Proof.
  intros H K f. specialize (H f). specialize (K f). simpl in *.
  rewrite (sum_ext _ _ (fun e => current (net es) h e * drop (net es) f e
    + current (net es) k e * drop (net es) f e)).
  - rewrite sum_plus, H, K. lra.
  - intros. unfold current, drop, Rdiv. lra.
Qed.

Lemma drives_back es a b h : drives es a b h -> drives es b a (fun x => - h x).
Proof.
  intros H f. specialize (H f). simpl in *.
  rewrite (sum_ext _ _ (fun e => -1 * (current (net es) h e * drop (net es) f e))).
  - rewrite sum_scal, H. lra.
  - intros. unfold current, drop, Rdiv. lra.
Qed.

(** An edge between parts of the network: every current can leave its ends level. *)
Lemma drives_level es e a b : ~ connected (net es) (s e) (t e) ->
  (exists h, drives es a b h) -> exists h, drives (e :: es) a b h /\ h (s e) = h (t e).
Proof.
  intros D (h & H). destruct (parts es) as (part & P).
  set (k := fun x => h x + if dec (part x) (part (t e)) then h (s e) - h (t e) else 0).
  assert (L : k (s e) = k (t e)).
  { unfold k. destruct (dec (part (s e)) (part (t e))) as [Q|_]; [now apply P in Q|].
    destruct (dec (part (t e)) (part (t e))); [lra|congruence]. }
  exists k. split; [|exact L]. intros f. simpl.
  unfold current at 1, drop at 1. simpl. rewrite L, Rminus_eq_0. specialize (H f). simpl in H.
  rewrite <- H. unfold Rdiv. rewrite !Rmult_0_l, Rplus_0_l. apply sum_ext. intros c I.
  assert (part (s c) = part (t c)) as Q by (apply P, (connected_edge (net es) c); auto).
  unfold current, drop, k. simpl. rewrite Q. unfold Rdiv. lra.
Qed.

Lemma drives_across es e : positive (net (e :: es)) -> ~ connected (net es) (s e) (t e) ->
  exists h, drives (e :: es) (s e) (t e) h.
Proof.
  intros P D. destruct (parts es) as (part & H).
  exists (fun x => if dec (part x) (part (s e)) then v e else 0). intros f. simpl.
  rewrite (sum_ext _ _ (fun _ => 0)), sum_zero.
  - unfold current, drop. simpl. destruct (dec (part (s e)) (part (s e))); [|congruence].
    destruct (dec (part (t e)) (part (s e))) as [Q|_]; [now apply eq_sym, H in Q|].
    assert (0 < v e) by (apply P; now left). field. lra.
  - intros c I. assert (part (s c) = part (t c)) as Q by (apply H, (connected_edge (net es) c); auto).
    unfold current, drop. simpl. rewrite Q, Rminus_eq_0. unfold Rdiv. lra.
Qed.

Lemma drives_within es e a b : positive (net (e :: es)) -> connected (net es) (s e) (t e) ->
  (forall x y, connected (net es) x y -> exists h, drives es x y h) ->
  connected (net es) a b -> exists h, drives (e :: es) a b h.
Proof.
  intros P C IH AB. destruct (IH _ _ AB) as (h & H). destruct (IH _ _ C) as (k & K).
  assert (Ve : 0 < v e) by (apply P; now left).
  assert (P' : positive (net es)) by (intros c I; apply P; now right).
  assert (0 <= k (s e) - k (t e)).
  { rewrite <- (energy_current (net es) (s e) (t e) k P' K). now apply energy_nonneg. }
  set (c := (h (s e) - h (t e)) / (v e + (k (s e) - k (t e)))).
  exists (fun x => h x + - c * k x). intros f. simpl.
  specialize (H f). specialize (K f). simpl in *.
  rewrite (sum_ext _ _ (fun d => current (net es) h d * drop (net es) f d
    + - c * (current (net es) k d * drop (net es) f d))).
  - rewrite sum_plus, sum_scal, H, K. unfold current, drop. simpl. unfold c. field. lra.
  - intros. unfold current, drop, Rdiv. simpl. lra.
Qed.

Lemma potential_exists es : positive (net es) ->
  forall a b, connected (net es) a b -> exists h, drives es a b h.
Proof.
  induction es as [|e es IH]; intros P a b C.
  - destruct C as (p & W). inversion W as [|? ? ? I]; subst; [|contradiction].
    exists (fun _ => 0). intros f. simpl. lra.
  - assert (P' : positive (net es)) by (intros c I; apply P; now right).
    specialize (IH P'). destruct (parts es) as (part & H). destruct (parts (e :: es)) as (q & Q).
    assert (T : connected (net es) a b \/
      (connected (net es) a (s e) /\ connected (net es) (t e) b) \/
      (connected (net es) a (t e) /\ connected (net es) (s e) b)).
    { destruct C as (p & W). clear - W H. induction W as [x|[f d] y p I W IH].
      - left. apply connected_refl.
      - assert (Z : In f es -> connected (net es) (start (net (e :: es)) (f, d))
          (finish (net (e :: es)) (f, d))).
        { intros J. pose proof (connected_edge (net es) f J) as C. destruct d; auto.
          now apply connected_sym. }
        destruct I as [J|J]; simpl in J.
        + subst f. unfold start, finish in *. simpl in *. rewrite !H in *.
          destruct d; simpl in *; intuition congruence.
        + specialize (Z J). rewrite !H in *. intuition congruence. }
    destruct (dec (part (s e)) (part (t e))) as [Y|D].
    + assert (connected (net es) (s e) (t e)) by now apply H.
      apply drives_within; auto. rewrite !H in *. intuition congruence.
    + assert (D' : ~ connected (net es) (s e) (t e)) by (rewrite H; auto).
      destruct (drives_across es e P D') as (k & K).
      destruct T as [T|[(T1 & T2)|(T1 & T2)]].
      * destruct (drives_level es e a b D' (IH _ _ T)) as (h & U & _). now exists h.
      * destruct (drives_level es e _ _ D' (IH _ _ T1)) as (h1 & U1 & _).
        destruct (drives_level es e _ _ D' (IH _ _ T2)) as (h2 & U2 & _).
        eexists. eapply drives_add; [exact U1|]. eapply drives_add; [exact K|exact U2].
      * destruct (drives_level es e _ _ D' (IH _ _ T1)) as (h1 & U1 & _).
        destruct (drives_level es e _ _ D' (IH _ _ T2)) as (h2 & U2 & _).
        eexists. eapply drives_add; [exact U1|].
        eapply drives_add; [apply drives_back; exact K|exact U2].
Qed.
End Existence.

Section Bridges.
Context {V E : Type}.
Variable dec : forall x y : V, {x = y} + {x <> y}.
Implicit Types (N : network V E) (a b x y : V).

(** claim: E1
    says: Every two responses that a walk joins have exactly one effective resistance.
    tex: a\leftrightarrow b\implies\exists!\,R(a,b) *)
Theorem e1_resistance_exists N a b : positive N -> connected N a b ->
  exists r, resistance N a b r /\ forall r', resistance N a b r' -> r' = r.
Proof.
  intros P C. destruct N as [es s t v].
  destruct (potential_exists dec s t v es P a b C) as (h & H).
  exists (h a - h b). split; [now exists h|].
  intros r' H'. eapply resistance_unique; eauto. now exists h.
Qed.

(** claim: E1
    says: Gauss and Markov. Weights on the observations of all edges give an unbiased estimate of
      a difference of rewards exactly if they are a unit flow, and its variance is the flow's
      energy. So the effective resistance is the least variance of an unbiased linear estimate.
    tex: \forall r:\ \sum_ef_e\,(r_{s(e)}-r_{t(e)})=r_a-r_b\iff f\text{ is a unit flow},\qquad
      R(a,b)=\min_f\sum_ef_e^2\sigma_e^2 *)
Theorem e1_least_variance_of_unbiased_estimates N a b R0 : positive N -> resistance N a b R0 ->
  let unbiased f := forall reward : V -> R,
    sum (edges N) (fun e => f e * (reward (source N e) - reward (target N e)))
    = reward a - reward b in
  (forall f, unbiased f -> R0 <= sum (edges N) (fun e => f e ^ 2 * variance N e)) /\
  (exists f, unbiased f /\ sum (edges N) (fun e => f e ^ 2 * variance N e) = R0).
Proof.
  intros P H. destruct (e1_thomson N a b R0 P H) as ((f & U & Q) & L). simpl. split.
  - intros g W. rewrite (sum_ext _ _ (fun e => variance N e * (g e * g e))) by (intros; lra).
    apply L. exact W.
  - exists f. split; [exact U|]. rewrite <- Q. apply sum_ext. intros. lra.
Qed.

(** claim: E1
    says: The posterior. With a flat prior and Gaussian evidence on every edge, twice the negative
      log posterior of rewards, about their mean, is the sum of squared drops over variances. Its
      least value among rewards with a given difference between a and b is that difference squared
      over R, as for a Gaussian of variance R.
    tex: \min\Bigl\{\sum_e\frac{(x_{s(e)}-x_{t(e)})^2}{\sigma_e^2}:\ x_a-x_b=\delta\Bigr\}
      =\frac{\delta^2}{R(a,b)} *)
Theorem e1_posterior_profile N a b r delta : positive N -> resistance N a b r -> 0 < r ->
  let loss (x : V -> R) :=
    sum (edges N) (fun e => (x (source N e) - x (target N e)) ^ 2 / variance N e) in
  (forall x : V -> R, x a - x b = delta -> delta ^ 2 / r <= loss x) /\
  (exists x : V -> R, x a - x b = delta /\ loss x = delta ^ 2 / r).
Proof.
  intros P (h & U & Q) R0. cbv zeta.
  assert (T : forall (x : V -> R) c, sum (edges N) (fun e =>
      (x (source N e) - x (target N e)) ^ 2 / variance N e)
    = 2 * c * (x a - x b) - c * c * r
      + sum (edges N) (fun e => (drop N x e - c * drop N h e) ^ 2 / variance N e)).
  { intros x c. rewrite <- (U x).
    assert (Z : r = sum (edges N) (fun e => current N h e * drop N h e)) by (rewrite U; auto).
    rewrite Z, <- !sum_scal, <- sum_minus, <- sum_plus. apply sum_ext. intros e I.
    unfold current, drop. field. specialize (P e I). lra. }
  split.
  - intros x D. rewrite (T x (delta / r)), D.
    assert (0 <= sum (edges N) (fun e =>
      (drop N x e - delta / r * drop N h e) ^ 2 / variance N e)).
    { apply sum_nonneg. intros e I. apply Rmult_le_pos; [apply pow2_ge_0|].
      left. apply Rinv_0_lt_compat. auto. }
    replace (2 * (delta / r) * delta - delta / r * (delta / r) * r) with (delta ^ 2 / r)
      by (field; lra). lra.
  - set (k := fun x => delta / r * h x).
    assert (D : k a - k b = delta).
    { unfold k. rewrite <- Rmult_minus_distr_l, <- Q. field. lra. }
    exists k. split; [exact D|]. rewrite (T k (delta / r)), D.
    rewrite (sum_ext (edges N) (fun e => (drop N k e - delta / r * drop N h e) ^ 2 / variance N e)
      (fun _ => 0)).
    + rewrite sum_zero. field. lra.
    + intros. unfold k, drop, Rdiv. ring.
Qed.

Definition at_node x y : R := if dec y x then 1 else 0.

(** claim: E1
    says: Kirchhoff's current law. A flow is a unit flow exactly if at every node what leaves, less
      what enters, is 1 at a, -1 at b and 0 elsewhere (0 everywhere if a is b).
    tex: \forall x:\ \sum_{e:\,s(e)=x}f_e-\sum_{e:\,t(e)=x}f_e=1_{x=a}-1_{x=b} *)
Theorem e1_unit_flow_by_nodes N a b f : unit_flow N a b f <->
  forall x, sum (edges N) (fun e => f e * (at_node x (source N e) - at_node x (target N e)))
    = at_node x a - at_node x b.
Proof.
  split; [intros U x; exact (U (at_node x))|]. intros H h.
  set (L := nodup dec (a :: b :: map (source N) (edges N) ++ map (target N) (edges N))).
  assert (Z : forall y, In y L -> h y = sum L (fun x => h x * at_node x y)).
  { intros y I. rewrite (sum_ext L _ (fun x => if dec x y then h x else 0)).
    - symmetry. apply (sum_at dec L y h); [apply NoDup_nodup|exact I].
    - intros x _. unfold at_node. destruct (dec y x), (dec x y); congruence || lra. }
  assert (In_L : forall y, In y (a :: b :: map (source N) (edges N) ++ map (target N) (edges N)) ->
    In y L) by (intros; now apply nodup_In).
  rewrite (Z a), (Z b) by (apply In_L; simpl; auto).
  rewrite <- sum_minus.
  rewrite (sum_ext L (fun x => h x * at_node x a - h x * at_node x b) (fun x => h x *
    sum (edges N) (fun e => f e * (at_node x (source N e) - at_node x (target N e))))).
  - rewrite (sum_ext (edges N) _ (fun e => sum L (fun x => h x *
      (f e * (at_node x (source N e) - at_node x (target N e)))))).
    + rewrite sum_swap. apply sum_ext. intros x _. apply sum_scal.
    + intros e I. unfold drop. rewrite (Z (source N e)), (Z (target N e)).
      * rewrite <- sum_minus, <- sum_scal. apply sum_ext. intros. ring.
      * apply In_L. do 2 right. apply in_app_iff. right. now apply in_map.
      * apply In_L. do 2 right. apply in_app_iff. left. now apply in_map.
  - intros x _. rewrite H. ring.
Qed.

End Bridges.

(** What is not so: labels of variance 1 that compare 0 with 1, as many as the list is long. *)
Definition labels (es : list nat) : network nat nat :=
  Network es (fun _ => 0%nat) (fun _ => 1%nat) (fun _ => 1).

Lemma labels_positive es : positive (labels es).
Proof. intros e _. simpl. lra. Qed.

Lemma labels_distance e es : distance (labels (e :: es)) 0%nat 1%nat 1.
Proof.
  split.
  - intros p W. set (h := fun x => if Nat.eqb x 0 then 1 else 0).
    assert (h 0%nat - h 1%nat <= length (labels (e :: es)) p) as L.
    { apply (length_from_below (labels (e :: es)) h); auto. intros f _. unfold h. simpl.
      rewrite Rabs_right; lra. }
    unfold h in L. simpl in L. lra.
  - intros b B. assert (b <= length (labels (e :: es)) [(e, true)]) as L.
    { apply B. apply (go (labels (e :: es)) (e, true)); [now left|constructor]. }
    unfold length in L. simpl in L. lra.
Qed.

Lemma labels_resistance e es : resistance (labels (e :: es)) 0%nat 1%nat (/ count (e :: es)).
Proof.
  assert (0 < count (e :: es)) by (apply count_pos; congruence).
  exists (fun x => if Nat.eqb x 0 then / count (e :: es) else 0). split; [|simpl; lra].
  intros f. rewrite (sum_ext _ _ (fun _ => / count (e :: es) * (f 0%nat - f 1%nat))).
  - rewrite sum_const. simpl edges. field. lra.
  - intros. unfold current, drop. simpl. field. lra.
Qed.

(** claim: E1
    mutant: a bound that is smaller by any factor
    says: Where one label is all that joins two responses, resistance and distance are equal.
    tex: \forall c<1\ \exists\text{ network}:\ R>c\,d *)
Theorem e1_constant_cannot_be_lowered : forall c, c < 1 ->
  ~ (forall (N : network nat nat) a b r d, positive N -> NoDup (edges N) ->
      resistance N a b r -> distance N a b d -> r <= c * d).
Proof.
  intros c C H.
  specialize (H (labels [0%nat]) 0%nat 1%nat (/ count [0%nat]) 1 (labels_positive _)).
  enough (/ count [0%nat] <= c * 1) by (unfold count in *; simpl in *; lra).
  apply H; auto using labels_resistance, labels_distance. repeat constructor. simpl. tauto.
Qed.

(** claim: E1
    mutant: the inequality turned
    says: Two labels of one pair leave half the variance of one, at the same distance.
    tex: \exists\text{ network}:\ R<d *)
Theorem e1_cannot_be_turned :
  ~ (forall (N : network nat nat) a b r d, positive N -> NoDup (edges N) ->
      resistance N a b r -> distance N a b d -> d <= r).
Proof.
  intros H.
  specialize (H (labels [0; 1]%nat) 0%nat 1%nat (/ count [0; 1]%nat) 1 (labels_positive _)).
  enough (1 <= / count [0; 1]%nat) by (unfold count in *; simpl in *; lra).
  apply H; auto using labels_resistance, labels_distance.
  repeat constructor; simpl; lia.
Qed.

(** Networks, walks and inference distance: P1's metric, E5's star. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(** Edges join responses (and what lies between them) and have a variance each. Edges of the same
    ends and variance may be several: an edge is a name. *)
Record network (V E : Type) := Network {
  edges : list E;
  source : E -> V;
  target : E -> V;
  variance : E -> R
}.
Arguments Network {V E}.
Arguments edges {V E}.
Arguments source {V E}.
Arguments target {V E}.
Arguments variance {V E}.

Section Networks.
Context {V E : Type}.
Implicit Types (N : network V E) (x y z : V).

Definition positive N := forall e, In e (edges N) -> 0 < variance N e.

(** A step along an edge, with its direction or against it. *)
Definition step := (E * bool)%type.
Definition start N (s : step) : V := if snd s then source N (fst s) else target N (fst s).
Definition finish N (s : step) : V := if snd s then target N (fst s) else source N (fst s).

Inductive walk N : V -> V -> list step -> Prop :=
| stay x : walk N x x []
| go s y p : In (fst s) (edges N) -> walk N (finish N s) y p -> walk N (start N s) y (s :: p).

(** The inference variance of a path: the sum of its steps'. *)
Definition length N (p : list step) : R := sum p (fun s => variance N (fst s)).

Definition connected N x y := exists p, walk N x y p.

(** The inference distance is the greatest lower bound of the lengths of walks. *)
Definition distance N x y (d : R) :=
  (forall p, walk N x y p -> d <= length N p) /\
  (forall b, (forall p, walk N x y p -> b <= length N p) -> b <= d).

Lemma walk_app N x y z p q : walk N x y p -> walk N y z q -> walk N x z (p ++ q).
Proof. induction 1; simpl; auto. intros. constructor; auto. Qed.

Lemma length_app N p q : length N (p ++ q) = length N p + length N q.
Proof. apply sum_app. Qed.

Definition turn (s : step) : step := (fst s, negb (snd s)).

Lemma walk_turn N x y p : walk N x y p -> walk N y x (rev (map turn p)).
Proof.
  induction 1 as [|s y p I W IH]; simpl; [constructor|].
  eapply walk_app; [exact IH|].
  assert (start N (turn s) = finish N s) as <- by (destruct s as [e []]; reflexivity).
  assert (finish N (turn s) = start N s) as <- by (destruct s as [e []]; reflexivity).
  constructor; [exact I|constructor].
Qed.

Lemma length_turn N p : length N (rev (map turn p)) = length N p.
Proof.
  induction p as [|s p IH]; simpl; auto. rewrite length_app, IH. unfold length. simpl. lra.
Qed.

Lemma walk_inside N x y p : walk N x y p -> forall s, In s p -> In (fst s) (edges N).
Proof. induction 1; simpl; [tauto|]. intros s' [<-|]; auto. Qed.

Lemma length_nonneg N x y p : positive N -> walk N x y p -> 0 <= length N p.
Proof.
  intros P W. apply sum_nonneg. intros s I. left. apply P. now apply (walk_inside N x y p).
Qed.

Lemma connected_refl N x : connected N x x.
Proof. exists []. constructor. Qed.

Lemma connected_sym N x y : connected N x y -> connected N y x.
Proof. intros (p & W). exists (rev (map turn p)). now apply walk_turn. Qed.

Lemma connected_trans N x y z : connected N x y -> connected N y z -> connected N x z.
Proof. intros (p & W) (q & W'). exists (p ++ q). eapply walk_app; eauto. Qed.

Lemma connected_edge N e : In e (edges N) -> connected N (source N e) (target N e).
Proof. intros I. exists [(e, true)]. apply (go N (e, true)); auto. constructor. Qed.

Lemma distance_unique N x y d d' : distance N x y d -> distance N x y d' -> d = d'.
Proof. intros (H & G) (H' & G'). apply Rle_antisym; auto. Qed.

Lemma distance_exists N x y : positive N -> connected N x y -> exists d, distance N x y d.
Proof.
  intros P (p & W).
  destruct (completeness (fun b => exists q, walk N x y q /\ b = - length N q)) as (m & U & L).
  - exists 0. intros b (q & Wq & ->). pose proof (length_nonneg N x y q P Wq). lra.
  - exists (- length N p), p. auto.
  - exists (- m). split.
    + intros q Wq. assert (- length N q <= m) by (apply U; exists q; auto). lra.
    + intros b B. assert (m <= - b); [|lra]. apply L. intros c (q & Wq & ->).
      specialize (B q Wq). lra.
Qed.

Lemma least_variance N : positive N ->
  exists v, 0 < v /\ forall e, In e (edges N) -> v <= variance N e.
Proof.
  unfold positive. intros P.
  induction (edges N) as [|e l IH]; [exists 1; simpl; split; [lra|tauto]|].
  destruct IH as (v & Pv & L); [intros; apply P; now right|].
  exists (Rmin v (variance N e)). split.
  - apply Rmin_glb_lt; auto. apply P. now left.
  - intros e' [<-|I]; [apply Rmin_r|]. eapply Rle_trans; [apply Rmin_l|auto].
Qed.

(** claim: P1
    check: metric axioms
    says: In a network whose variances are positive the inference distance is a metric: it exists
      wherever a walk joins the pair, is 0 from a response to itself and positive otherwise, is
      symmetric, and obeys the triangle inequality.
    tex: d(x,x)=0,\quad d(x,y)>0\ (x\ne y),\quad d(x,y)=d(y,x),\quad d(x,z)\le d(x,y)+d(y,z) *)
Theorem p1_distance_is_a_metric N : positive N ->
  (forall x y, connected N x y -> exists d, distance N x y d) /\
  (forall x, distance N x x 0) /\
  (forall x y d, distance N x y d -> x <> y -> 0 < d) /\
  (forall x y d, distance N x y d -> distance N y x d) /\
  (forall x y z dxz dxy dyz, distance N x z dxz -> distance N x y dxy -> distance N y z dyz ->
    dxz <= dxy + dyz).
Proof.
  intros P. repeat split.
  - intros. now apply distance_exists.
  - intros. eapply length_nonneg; eauto.
  - intros b B. apply (B [] (stay N x)).
  - intros x y d (H & G) D. destruct (least_variance N P) as (v & Pv & L).
    enough (v <= d) by lra. apply G. intros p W. destruct W as [|s y p I W]; [congruence|].
    pose proof (length_nonneg N _ _ _ P W). specialize (L _ I). unfold length in *. simpl. lra.
  - intros p W. rewrite <- length_turn. apply H. now apply walk_turn.
  - intros b B. apply H. intros p W. rewrite <- length_turn. apply B. now apply walk_turn.
  - intros x y z dxz dxy dyz (Hxz & _) (_ & Gxy) (_ & Gyz).
    enough (dxz - dxy <= dyz) by lra. apply Gyz. intros q Wq.
    enough (dxz - length N q <= dxy) by lra. apply Gxy. intros p Wp.
    enough (dxz <= length N (p ++ q)) by (rewrite length_app in *; lra).
    apply Hxz. eapply walk_app; eauto.
Qed.

(** A star: every representative is the hub or compared with it, at the variance of a label. *)
Definition star N (representatives : list V) (hub : V) (label : R) :=
  forall s, In s representatives -> s = hub \/
    exists e, In e (edges N) /\ variance N e = label /\
      ((source N e = hub /\ target N e = s) \/ (source N e = s /\ target N e = hub)).

Lemma star_walk N S hub label s : 0 <= label -> star N S hub label -> In s S ->
  exists p, walk N s hub p /\ length N p <= label.
Proof.
  intros P H I. destruct (H s I) as [->|(e & Ie & Ve & [[<- <-]|[<- <-]])].
  - exists []. split; [constructor|]. unfold length. simpl. lra.
  - exists [(e, false)]. split; [apply (go N (e, false)); auto; constructor|].
    unfold length. simpl. lra.
  - exists [(e, true)]. split; [apply (go N (e, true)); auto; constructor|].
    unfold length. simpl. lra.
Qed.

(** claim: E5
    part: path bound
    says: In a star, the inference distance of two responses is at most the inductive-bias distances
      from each to its representative and the variances of two labels, in every network and for
      every σ².
    tex: d(y_1,y_2)\le d_{IB}(y_1,s_1)+d_{IB}(y_2,s_2)+2\sigma^2 *)
Theorem e5_star_path N S hub label y1 s1 y2 s2 dIB1 dIB2 d :
  0 <= label -> star N S hub label -> In s1 S -> In s2 S ->
  (exists p, walk N y1 s1 p /\ length N p = dIB1) ->
  (exists p, walk N y2 s2 p /\ length N p = dIB2) ->
  distance N y1 y2 d -> d <= dIB1 + dIB2 + 2 * label.
Proof.
  intros P H I1 I2 (p1 & W1 & <-) (p2 & W2 & <-) (D & _).
  destruct (star_walk N S hub label s1 P H I1) as (q1 & V1 & L1).
  destruct (star_walk N S hub label s2 P H I2) as (q2 & V2 & L2).
  eapply Rle_trans; [apply (D (p1 ++ q1 ++ rev (map turn (p2 ++ q2))))|].
  - eapply walk_app; [exact W1|]. eapply walk_app; [exact V1|]. apply walk_turn.
    eapply walk_app; eauto.
  - rewrite !length_app, length_turn, length_app. lra.
Qed.

(** A function that no edge stretches beyond its variance bounds distances from below. *)
Lemma length_from_below N (h : V -> R) :
  (forall e, In e (edges N) -> Rabs (h (source N e) - h (target N e)) <= variance N e) ->
  forall x y p, walk N x y p -> h x - h y <= length N p.
Proof.
  intros H x y p. induction 1 as [|[e b] y p I W IH]; [unfold length; simpl; lra|].
  specialize (H e I). unfold length, start, finish in *. simpl in *.
  pose proof (Rle_abs (h (source N e) - h (target N e))) as A.
  pose proof (Rle_abs (- (h (source N e) - h (target N e)))) as B. rewrite Rabs_Ropp in B.
  destruct b; lra.
Qed.

End Networks.

(** What is not so: two responses, 1 and 2, each compared with the hub 0 at variance 1. *)
Definition two_rays : network nat nat :=
  Network [1%nat; 2%nat] (fun _ => 0%nat) (fun e => e) (fun _ => 1).

Lemma two_rays_positive : positive two_rays.
Proof. intros e _. simpl. lra. Qed.

Lemma two_rays_ray e : In e [1; 2]%nat -> distance two_rays e 0%nat 1.
Proof.
  intros I. split.
  - intros p W. set (h := fun v => if Nat.eqb v 0 then 0 else 1).
    assert (h e - h 0%nat <= length two_rays p) as L.
    { apply (length_from_below two_rays h); auto. unfold h. simpl.
      intros f [<-|[<-|[]]]; simpl; rewrite Rabs_left; lra. }
    revert L. unfold h. destruct I as [<-|[<-|[]]]; simpl; lra.
  - intros b B. assert (b <= length two_rays [(e, false)]) as L.
    { apply B. apply (go two_rays (e, false)); [exact I|constructor]. }
    unfold length in L. simpl in L. lra.
Qed.

Lemma two_rays_across : distance two_rays 1%nat 2%nat 2.
Proof.
  split.
  - intros p W. set (h := fun v => match v with 1%nat => 1 | 2%nat => -1 | _ => 0 end).
    assert (h 1%nat - h 2%nat <= length two_rays p) as L.
    { apply (length_from_below two_rays h); auto. unfold h. simpl.
      intros f [<-|[<-|[]]]; simpl; [rewrite Rabs_left|rewrite Rabs_right]; lra. }
    unfold h in L. lra.
  - intros b B. assert (b <= length two_rays [(1%nat, false); (2%nat, true)]) as L.
    { apply B. apply (go two_rays (1%nat, false)); [simpl; auto|].
      apply (go two_rays (2%nat, true)); [simpl; auto|constructor]. }
    unfold length in L. simpl in L. lra.
Qed.

(** claim: P1
    mutant: the triangle inequality with the greater of two distances in place of their sum
    says: Two responses that are each compared with a third are at the sum of the two.
    tex: \exists\text{ network}:\ d(x,z)>\max\{d(x,y),d(y,z)\} *)
Theorem p1_distance_is_not_an_ultrametric :
  ~ (forall (N : network nat nat) x y z dxz dxy dyz, positive N ->
      distance N x z dxz -> distance N x y dxy -> distance N y z dyz -> dxz <= Rmax dxy dyz).
Proof.
  intros H. pose proof (two_rays_ray 1 (or_introl eq_refl)) as A.
  pose proof (two_rays_ray 2 (or_intror (or_introl eq_refl))) as B.
  apply (p1_distance_is_a_metric two_rays two_rays_positive) in B.
  specialize (H two_rays _ _ _ _ _ _ two_rays_positive two_rays_across A B).
  rewrite Rmax_left in H; lra.
Qed.

(** claim: E5
    mutant: one label across a star, not two
    says: In a star of three, the two responses that are not the hub are two labels apart.
    tex: \exists\text{ star}:\ d(y_1,y_2)>d_{IB}(y_1,s_1)+d_{IB}(y_2,s_2)+\sigma^2 *)
Theorem e5_star_takes_two_labels :
  ~ (forall (N : network nat nat) S hub label y1 s1 y2 s2 dIB1 dIB2 d,
      0 <= label -> star N S hub label -> In s1 S -> In s2 S ->
      (exists p, walk N y1 s1 p /\ length N p = dIB1) ->
      (exists p, walk N y2 s2 p /\ length N p = dIB2) ->
      distance N y1 y2 d -> d <= dIB1 + dIB2 + label).
Proof.
  intros H.
  specialize (H two_rays [1; 2]%nat 0%nat 1 1%nat 1%nat 2%nat 2%nat 0 0 2).
  enough (2 <= 0 + 0 + 1) by lra.
  apply H; simpl; auto using two_rays_across; try lra.
  - intros s I. right. exists s. destruct I as [<-|[<-|[]]]; simpl; auto 7.
  - exists []. split; [constructor|]. reflexivity.
  - exists []. split; [constructor|]. reflexivity.
Qed.

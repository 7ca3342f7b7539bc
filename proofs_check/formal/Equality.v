(** The inference distance is attained; E1: where resistance and distance are equal. *)

Require Import Reals Lra Lia List Arith Classical_Prop.
From Ibn Require Import Sums Networks Resistance Potentials.
Import ListNotations.
Open Scope R_scope.

Section Attained.
Context {V E : Type}.
Variable dec : forall x y : V, {x = y} + {x <> y}.
Variable edec : forall e f : E, {e = f} + {e <> f}.
Implicit Types (N : network V E) (a b x y : V).

(** The sums over all subsets of a list. *)
Fixpoint sums (v : E -> R) (l : list E) : list R :=
  match l with [] => [0] | e :: k => sums v k ++ map (Rplus (v e)) (sums v k) end.

Lemma sum_remove (v : E -> R) e k : NoDup k -> In e k -> sum k v = v e + sum (remove edec e k) v.
Proof.
  induction k as [|f k IH]; simpl; [tauto|]. intros D I. inversion D; subst.
  destruct (edec e f) as [<-|N].
  - rewrite notin_remove by auto. reflexivity.
  - simpl. rewrite IH; auto; [lra|]. destruct I; [congruence|auto].
Qed.

Lemma nodup_remove e (k : list E) : NoDup k -> NoDup (remove edec e k).
Proof.
  induction 1 as [|f k N D IH]; simpl; [constructor|].
  destruct (edec e f); auto. constructor; auto. intros I. apply N. now apply in_remove in I.
Qed.

Lemma sum_in_sums (v : E -> R) l : forall k, NoDup k -> incl k l -> In (sum k v) (sums v l).
Proof.
  induction l as [|e l IH]; intros k D I; simpl.
  - left. destruct k as [|f k]; auto. destruct (I f (or_introl eq_refl)).
  - apply in_app_iff. destruct (in_dec edec e k) as [H|H].
    + right. rewrite (sum_remove v e k D H). apply in_map. apply IH; [now apply nodup_remove|].
      intros f F. apply in_remove in F. destruct F as (F & Q). destruct (I f F); [congruence|auto].
    + left. apply IH; auto. intros f F. destruct (I f F) as [<-|J]; [contradiction|auto].
Qed.

Lemma simple_length_in_sums N a b p : walk N a b p -> simple N b p ->
  In (length N p) (sums (variance N) (edges N)).
Proof.
  intros W S. unfold length. rewrite <- (sum_map fst p). apply sum_in_sums.
  - now apply (simple_edges_once N a b).
  - intros e I. apply in_map_iff in I. destruct I as (s & <- & I).
    now apply (walk_inside N a b p).
Qed.

(** Of finitely many numbers, those above d stay away from it. *)
Lemma gap (l : list R) d : exists g, 0 < g /\ forall v, In v l -> d < v -> d + g <= v.
Proof.
  induction l as [|w l (g & G & H)]; [exists 1; simpl; split; [lra|tauto]|].
  destruct (Rlt_dec d w) as [L|L].
  - exists (Rmin g (w - d)). split; [apply Rmin_glb_lt; lra|]. intros v [<-|I] Q.
    + pose proof (Rmin_r g (w - d)). lra.
    + pose proof (Rmin_l g (w - d)). specialize (H v I Q). lra.
  - exists g. split; auto. intros v [<-|I] Q; [lra|auto].
Qed.

(** claim: P1
    check: metric axioms
    says: The inference distance is attained: some path that visits no node twice has it as its
      length.
    tex: d(x,y)=\min_{\text{simple paths}}\sum_{e}\sigma_e^2 *)
Theorem p1_distance_is_attained N a b d : positive N -> distance N a b d ->
  exists p, walk N a b p /\ simple N b p /\ length N p = d.
Proof.
  intros P (L & G). destruct (gap (sums (variance N) (edges N)) d) as (g & Hg & H).
  assert (T : exists p, walk N a b p /\ length N p < d + g).
  { apply NNPP. intros T. enough (d + g <= d) by lra. apply G. intros p W.
    apply Rnot_lt_le. intros Q. apply T. now exists p. }
  destruct T as (p & W & T). destruct (shorten dec N a b p P W) as (q & Wq & S & Q).
  exists q. repeat split; auto. specialize (L q Wq).
  destruct (Rle_lt_or_eq_dec _ _ L) as [Z|Z]; auto.
  specialize (H _ (simple_length_in_sums N a b q Wq S) Z). lra.
Qed.

Lemma sdec : forall s t : @step E, {s = t} + {s <> t}.
Proof. decide equality. apply Bool.bool_dec. Qed.

Lemma along_in p s : NoDup (map fst p) -> In s p -> along edec p (fst s) = sign s.
Proof.
  induction p as [|t p IH]; simpl; [tauto|]. intros D I. inversion D as [|? ? N D']; subst.
  change (along edec (t :: p) (fst s)) with
    ((if edec (fst s) (fst t) then sign t else 0) + along edec p (fst s)).
  destruct I as [->|I].
  - rewrite (along_none edec p) by auto. destruct (edec (fst s) (fst s)); [lra|congruence].
  - rewrite IH by auto. destruct (edec (fst s) (fst t)) as [Q|]; [|lra].
    destruct N. rewrite <- Q. now apply in_map.
Qed.

Lemma sign_along p s : NoDup (map fst p) ->
  sign s * along edec p (fst s) <= if in_dec sdec s p then 1 else 0.
Proof.
  intros D. destruct (in_dec sdec s p) as [I|I].
  - rewrite along_in by auto. unfold sign. destruct (snd s); lra.
  - destruct (in_dec edec (fst s) (map fst p)) as [J|J].
    + apply in_map_iff in J. destruct J as ([e d] & Q & J). rewrite <- Q.
      pose proof (along_in p (e, d) D J) as A. simpl in A. simpl fst. rewrite A.
      destruct s as [e' d']. simpl in Q. subst e'. unfold sign. simpl.
      destruct d, d'; try lra; contradiction.
    + rewrite along_none by auto. lra.
Qed.

Lemma walk_drops N (h : V -> R) x y p : walk N x y p ->
  h x - h y = sum p (fun s => sign s * drop N h (fst s)).
Proof.
  induction 1 as [x|[e d] y p I W IH]; simpl; [lra|]. rewrite <- IH.
  unfold sign, drop, start, finish. simpl. destruct d; lra.
Qed.

(** A path that has all steps of another is the other. *)
Lemma simple_has_all N x y p : walk N x y p -> simple N y p ->
  forall q, walk N x y q -> simple N y q -> incl p q -> p = q.
Proof.
  intros W. induction W as [x|s y p I W IH]; intros S q Wq Sq Inc.
  - inversion Wq as [|t ? q' J Wq' Q]; subst; auto. unfold simple in Sq. simpl in Sq.
    inversion Sq as [|? ? A B]; subst. destruct A. now left.
  - inversion Wq as [z|t z q' J Wq' Q]; subst.
    + destruct (Inc s (or_introl eq_refl)).
    + assert (T : s = t).
      { destruct (Inc s (or_introl eq_refl)) as [->|H]; auto. unfold simple in Sq. simpl in Sq.
        inversion Sq as [|? ? A B]; subst. inversion B as [|? ? A' B']; subst. destruct A'.
        rewrite Q. unfold starts. now apply in_map. }
      subst t. f_equal.
      assert (D : ~ In s p).
      { intros H. unfold simple in S. simpl in S. inversion S as [|? ? A B]; subst.
        inversion B as [|? ? A' B']; subst. apply A'. unfold starts. now apply in_map. }
      apply IH; auto.
      * unfold simple in *. simpl in S. inversion S as [|? ? A B]; subst.
        inversion B; subst. constructor; auto. simpl in A. tauto.
      * unfold simple in *. simpl in Sq. inversion Sq as [|? ? A B]; subst.
        inversion B; subst. constructor; auto. simpl in A. tauto.
      * intros u Hu. destruct (Inc u (or_intror Hu)) as [<-|H]; [contradiction|auto].
Qed.

(** claim: E1
    check: small graphs
    says: Resistance and distance are equal exactly where one path alone, among those that visit no
      node twice, joins the pair.
    tex: R(a,b)=d(a,b)\iff\text{exactly one simple path joins }a\text{ and }b *)
Theorem e1_equality N a b r d : positive N -> NoDup (edges N) ->
  resistance N a b r -> distance N a b d ->
  (r = d <-> exists p, (walk N a b p /\ simple N b p) /\
    forall q, walk N a b q /\ simple N b q -> q = p).
Proof.
  intros P D HR HD.
  destruct (p1_distance_is_attained N a b d P HD) as (p & W & S & L).
  pose proof (simple_edges_once N a b p W S) as Once.
  assert (Inside : incl (map fst p) (edges N)).
  { intros e I. apply in_map_iff in I. destruct I as (s & <- & I). now apply (walk_inside N a b p). }
  split.
  - intros Q. exists p. split; [auto|]. intros q (Wq & Sq). symmetry.
    apply (simple_has_all N a b); auto.
    destruct HR as (h & U & HRr).
    assert (C : forall e, In e (edges N) -> along edec p e = current N h e).
    { intros e I. pose proof (along_carries edec N a b p D W) as U'.
      pose proof (energy_along edec N p D Inside Once) as En.
      pose proof (energy_current N a b h P U) as Ec.
      assert (Z : sum (edges N) (fun e => variance N e
        * ((along edec p e - current N h e) * (along edec p e - current N h e))) = 0).
      { transitivity (energy N (along edec p) + energy N (current N h)
          - 2 * sum (edges N) (fun e => along edec p e * drop N h e)).
        - unfold energy. rewrite <- sum_scal, <- sum_plus, <- sum_minus. apply sum_ext.
          intros f F. unfold current. field. specialize (P f F). lra.
        - rewrite (U' h), En, Ec. lra. }
      assert (Y : forall f, In f (edges N) -> 0 <= variance N f
        * ((along edec p f - current N h f) * (along edec p f - current N h f))).
      { intros f F. apply Rmult_le_pos; [left; now apply P|apply Rle_0_sqr]. }
      assert (X : sum [e] (fun e => variance N e
        * ((along edec p e - current N h e) * (along edec p e - current N h e))) <= 0).
      { rewrite <- Z. apply sum_part; auto.
        - constructor; [tauto|constructor].
        - intros f [<-|[]]. exact I. }
      simpl in X. specialize (P e I). set (z := along edec p e - current N h e) in *.
      enough (z = 0) by (unfold z in *; lra).
      destruct (Req_dec z 0) as [|Nz]; auto. pose proof (Rsqr_pos_lt z Nz) as K.
      unfold Rsqr in K. nra. }
    pose proof (walk_drops N h a b q Wq) as T.
    assert (Bound : sum q (fun s => sign s * drop N h (fst s))
      <= sum q (fun s => if in_dec sdec s p then variance N (fst s) else 0)).
    { apply sum_le. intros s I. pose proof (walk_inside N a b q Wq s I) as Ie.
      assert (drop N h (fst s) = variance N (fst s) * along edec p (fst s)) as ->.
      { rewrite C by auto. unfold current. field. specialize (P _ Ie). lra. }
      pose proof (sign_along p s Once). specialize (P _ Ie).
      destruct (in_dec sdec s p); nra. }
    assert (Keep : forall k : list (@step E),
      sum k (fun s => if in_dec sdec s p then variance N (fst s) else 0)
      = sum (filter (fun s => if in_dec sdec s p then true else false) k)
          (fun s => variance N (fst s))).
    { clear. induction k as [|s k IH]; simpl; auto. destruct (in_dec sdec s p); simpl; lra. }
    rewrite Keep in Bound. set (k := filter _ q) in Bound.
    assert (Nq : NoDup q) by (apply (NoDup_map_inv fst), (simple_edges_once N a b q Wq Sq)).
    assert (Np : NoDup p) by (apply (NoDup_map_inv fst), Once).
    intros s Is. destruct (in_dec sdec s q) as [|No]; auto. exfalso.
    assert (Ve : 0 < variance N (fst s)) by (apply P, (walk_inside N a b p W s Is)).
    assert (sum (s :: k) (fun s => variance N (fst s)) <= length N p).
    { apply sum_part.
      - constructor; [|now apply NoDup_filter]. intros I. apply filter_In in I. tauto.
      - intros t [<-|I]; auto. apply filter_In in I. destruct I as (_ & I).
        destruct (in_dec sdec t p); [auto|discriminate].
      - intros t I. left. apply P, (walk_inside N a b p W t I). }
    simpl in H. lra.
  - intros (p' & _ & Only). assert (p' = p) as -> by (symmetry; auto).
    apply Rle_antisym; [apply (e1_resistance_below_distance dec edec N a b); auto|].
    rewrite <- L. destruct (e1_thomson N a b r P HR) as ((f & U & <-) & _).
    unfold length. rewrite <- (sum_map fst p).
    apply (Rle_trans _ (sum (map fst p) (fun e => variance N e * (f e * f e)))).
    + apply sum_le. intros e I. pose proof (Inside e I) as Ie.
      assert (F : f e * f e = 1).
      { set (M := Network (remove edec e (edges N)) (source N) (target N) (variance N)).
        destruct (parts dec (source N) (target N) (variance N) (remove edec e (edges N)))
          as (part & H). fold M in H.
        assert (Apart : part a <> part b).
        { intros Q. apply H in Q. destruct Q as (w & Ww).
          assert (PM : positive M).
          { intros c Ic. apply P. now apply in_remove in Ic. }
          destruct (shorten dec M a b w PM Ww) as (q & Wq & Sq & _).
          assert (q = p).
          { apply Only. split; [|exact Sq]. clear - Wq. induction Wq as [|s y q I W IH]; [constructor|].
            apply (go N s); [|exact IH]. simpl in I. now apply in_remove in I. }
          subst q. apply in_map_iff in I. destruct I as (s & Q & I).
          pose proof (walk_inside M a b p Wq s I) as Z. simpl in Z. rewrite Q in Z.
          apply in_remove in Z. tauto. }
        pose proof (U (fun x => if dec (part x) (part a) then 1 else 0)) as T.
        rewrite (sum_ext _ _ (fun c => if edec c e then f c
          * drop N (fun x => if dec (part x) (part a) then 1 else 0) c else 0)) in T.
        - rewrite (sum_at edec _ e (fun c => f c
            * drop N (fun x => if dec (part x) (part a) then 1 else 0) c) D Ie) in T.
          destruct (dec (part a) (part a)); [|congruence].
          destruct (dec (part b) (part a)); [congruence|]. unfold drop in T.
          destruct (dec (part (source N e)) (part a)), (dec (part (target N e)) (part a)); nra.
        - intros c Ic. destruct (edec c e) as [|Ne]; auto.
          assert (Q : part (source N c) = part (target N c)).
          { apply H. apply (connected_edge M c). simpl. now apply in_in_remove. }
          unfold drop. rewrite Q. lra. }
      rewrite F. lra.
    + apply sum_part; auto. intros e I. specialize (P e I). nra.
Qed.

End Attained.

(** Finite sums and means of real numbers. *)

Require Import Reals Lra Lia List Arith.
Import ListNotations.
Open Scope R_scope.

Fixpoint sum {A} (l : list A) (f : A -> R) : R :=
  match l with [] => 0 | a :: k => f a + sum k f end.

Definition count {A} (l : list A) : R := INR (length l).
Definition mean {A} (l : list A) (f : A -> R) : R := sum l f / count l.

Section Sums.
Context {A : Type}.
Implicit Types (l k : list A) (f g : A -> R).

Lemma sum_ext l f g : (forall a, In a l -> f a = g a) -> sum l f = sum l g.
Proof. induction l as [|a l IH]; simpl; intros H; auto. rewrite H, IH; auto. Qed.

Lemma sum_plus l f g : sum l (fun a => f a + g a) = sum l f + sum l g.
Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

Lemma sum_scal l c f : sum l (fun a => c * f a) = c * sum l f.
Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

Lemma sum_minus l f g : sum l (fun a => f a - g a) = sum l f - sum l g.
Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

Lemma sum_const l c : sum l (fun _ => c) = count l * c.
Proof.
  induction l as [|a l IH]; simpl sum; [unfold count; simpl; lra|].
  rewrite IH. unfold count. simpl length. rewrite S_INR. lra.
Qed.

Lemma sum_le l f g : (forall a, In a l -> f a <= g a) -> sum l f <= sum l g.
Proof.
  induction l as [|a l IH]; simpl; intros H; [lra|].
  pose proof (H a (or_introl eq_refl)). assert (sum l f <= sum l g) by auto. lra.
Qed.

Lemma sum_nonneg l f : (forall a, In a l -> 0 <= f a) -> 0 <= sum l f.
Proof.
  intros H. pose proof (sum_le l (fun _ => 0) f H) as L. rewrite sum_const in L. lra.
Qed.

Lemma sum_zero l : sum l (fun _ => 0) = 0.
Proof. rewrite sum_const. lra. Qed.

Lemma sum_app l k f : sum (l ++ k) f = sum l f + sum k f.
Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

(** A sum over distinct terms of a sum of nonnegative ones is at most the whole. *)
Lemma sum_part k : forall l f, NoDup k -> incl k l -> (forall a, In a l -> 0 <= f a) ->
  sum k f <= sum l f.
Proof.
  induction k as [|a k IH]; intros l f D I P; simpl; [apply sum_nonneg, P|].
  inversion D as [|? ? N D']; subst.
  destruct (in_split a l (I a (or_introl eq_refl))) as (l1 & l2 & ->).
  rewrite sum_app. simpl.
  assert (sum k f <= sum (l1 ++ l2) f) as H.
  { apply IH; auto.
    - intros b Hb. specialize (I b (or_intror Hb)).
      apply in_app_iff in I. apply in_app_iff. simpl in I.
      destruct I as [I|[<-|I]]; auto. contradiction.
    - intros b Hb. apply P. apply in_app_iff in Hb. apply in_app_iff. simpl. tauto. }
  rewrite sum_app in H. lra.
Qed.

Lemma sum_square_zero l f :
  sum l (fun a => f a * f a) = 0 -> forall a, In a l -> f a = 0.
Proof.
  induction l as [|b l IH]; simpl; [tauto|]. intros H a [<-|I].
  - assert (0 <= sum l (fun c => f c * f c)) by (apply sum_nonneg; intros; nra). nra.
  - apply IH; auto. assert (0 <= sum l (fun c => f c * f c)) by (apply sum_nonneg; intros; nra).
    nra.
Qed.

Section Choice.
Variable dec : forall a b : A, {a = b} + {a <> b}.

Lemma sum_at_none l b f : ~ In b l -> sum l (fun a => if dec a b then f a else 0) = 0.
Proof.
  induction l as [|a l IH]; simpl; auto. intros H.
  destruct (dec a b) as [->|]; [tauto|]. rewrite IH; [lra|tauto].
Qed.

Lemma sum_at l b f : NoDup l -> In b l -> sum l (fun a => if dec a b then f a else 0) = f b.
Proof.
  induction l as [|a l IH]; simpl; [tauto|]. intros D H. inversion D; subst.
  destruct (dec a b) as [->|N].
  - rewrite sum_at_none; auto. lra.
  - rewrite IH; auto; [lra|]. destruct H; [contradiction|auto].
Qed.
End Choice.

(** Means *)

Lemma mean_ext l f g : (forall a, In a l -> f a = g a) -> mean l f = mean l g.
Proof. intros H. unfold mean. now rewrite (sum_ext _ _ _ H). Qed.

Lemma count_pos l : l <> [] -> 0 < count l.
Proof. destruct l; [congruence|]. intros _. unfold count. apply lt_0_INR. simpl. lia. Qed.

Lemma mean_le l f g : (forall a, In a l -> f a <= g a) -> mean l f <= mean l g.
Proof.
  intros H. destruct l as [|a l]; [unfold mean; simpl; lra|].
  assert (0 < count (a :: l)) by (apply count_pos; congruence).
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat; auto|]. now apply sum_le.
Qed.

Lemma mean_const l c : l <> [] -> mean l (fun _ => c) = c.
Proof. intros H. unfold mean. rewrite sum_const. field. apply count_pos in H. lra. Qed.

Lemma mean_plus l f g : mean l (fun a => f a + g a) = mean l f + mean l g.
Proof. unfold mean. rewrite sum_plus. unfold Rdiv. lra. Qed.

Lemma mean_scal l c f : mean l (fun a => c * f a) = c * mean l f.
Proof. unfold mean. rewrite sum_scal. unfold Rdiv. lra. Qed.

End Sums.

Lemma sum_swap {A B} (l : list A) (k : list B) f :
  sum l (fun a => sum k (fun b => f a b)) = sum k (fun b => sum l (fun a => f a b)).
Proof.
  induction l as [|a l IH]; simpl; [now rewrite sum_zero|]. now rewrite IH, <- sum_plus.
Qed.

Lemma mean_swap {A B} (l : list A) (k : list B) f :
  mean l (fun a => mean k (fun b => f a b)) = mean k (fun b => mean l (fun a => f a b)).
Proof.
  unfold mean, Rdiv.
  transitivity (sum l (fun a => / count k * sum k (fun b => f a b)) * / count l).
  { f_equal. apply sum_ext. intros. lra. }
  transitivity (sum k (fun b => / count l * sum l (fun a => f a b)) * / count k).
  2:{ f_equal. apply sum_ext. intros. lra. }
  rewrite !sum_scal, sum_swap. lra.
Qed.

Lemma sum_map {A B} (h : A -> B) l f : sum (map h l) f = sum l (fun a => f (h a)).
Proof. induction l as [|a l IH]; simpl; congruence. Qed.

Lemma nodup_app {A} (l k : list A) :
  NoDup l -> NoDup k -> (forall a, In a l -> ~ In a k) -> NoDup (l ++ k).
Proof.
  induction 1 as [|a l N D IH]; simpl; auto. intros K H. constructor; auto.
  rewrite in_app_iff. intros [I|I]; [auto|]. now apply (H a (or_introl eq_refl)).
Qed.

Lemma nodup_map {A B} (h : A -> B) (l : list A) :
  (forall a b, In a l -> In b l -> h a = h b -> a = b) -> NoDup l -> NoDup (map h l).
Proof.
  intros H. induction 1 as [|a l N D IH]; simpl; [constructor|]. constructor.
  - intros I. apply in_map_iff in I. destruct I as (b & Q & I).
    rewrite (H b a) in I; simpl; auto.
  - apply IH. intros. apply H; simpl; auto.
Qed.

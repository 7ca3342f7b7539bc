(** Means over independent uniform choices. *)

Require Import Reals Lra Lia List Arith FunctionalExtensionality.
From Ibn Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(** The mean over independent uniform choices of one of C places in each of M cells. *)
Section Choices.
Variable C : nat.
Let places := seq 0 C.

Definition set (s : nat -> nat) (c v : nat) : nat -> nat :=
  fun x => if Nat.eq_dec x c then v else s x.

Fixpoint mean_choice (M : nat) (G : (nat -> nat) -> R) : R :=
  match M with
  | O => G (fun _ => 0%nat)
  | S m => mean places (fun v => mean_choice m (fun s => G (set s m v)))
  end.

Definition choice (s : nat -> nat) := forall c, (s c < C)%nat.

Hypothesis HC : (1 <= C)%nat.

Lemma places_some : places <> [].
Proof. unfold places. destruct C; [lia|]. simpl. congruence. Qed.

Lemma mean_choice_le M : forall G G', (forall s, choice s -> G s <= G' s) ->
  mean_choice M G <= mean_choice M G'.
Proof.
  induction M as [|m IH]; intros G G' H; simpl; [apply H; intros c; lia|].
  apply mean_le. intros v I. apply in_seq in I. apply IH. intros s Hs. apply H.
  intros c. unfold set. destruct (Nat.eq_dec c m); [lia|apply Hs].
Qed.

Lemma mean_choice_ext M G G' : (forall s, choice s -> G s = G' s) ->
  mean_choice M G = mean_choice M G'.
Proof. intros H. apply Rle_antisym; apply mean_choice_le; intros; rewrite H; auto; lra. Qed.

Lemma mean_choice_const M a : mean_choice M (fun _ => a) = a.
Proof.
  induction M as [|m IH]; simpl; auto. rewrite (mean_ext _ _ (fun _ => a)); auto.
  apply mean_const, places_some.
Qed.

Lemma mean_choice_plus M : forall G G',
  mean_choice M (fun s => G s + G' s) = mean_choice M G + mean_choice M G'.
Proof.
  induction M as [|m IH]; intros G G'; simpl; auto. rewrite <- mean_plus. apply mean_ext.
  intros v _. apply (IH (fun s => G (set s m v)) (fun s => G' (set s m v))).
Qed.

Lemma mean_choice_scal M a : forall G, mean_choice M (fun s => a * G s) = a * mean_choice M G.
Proof.
  induction M as [|m IH]; intros G; simpl; auto. rewrite <- mean_scal. apply mean_ext.
  intros v _. apply (IH (fun s => G (set s m v))).
Qed.

Lemma mean_choice_sum {A} M (l : list A) G :
  mean_choice M (fun s => sum l (fun a => G a s)) = sum l (fun a => mean_choice M (G a)).
Proof.
  induction l as [|a l IH]; simpl; [apply mean_choice_const|].
  rewrite mean_choice_plus, IH. reflexivity.
Qed.

Lemma mean_choice_mean {A} M (l : list A) G :
  mean_choice M (fun s => mean l (fun a => G a s)) = mean l (fun a => mean_choice M (G a)).
Proof.
  unfold mean. rewrite <- mean_choice_sum. unfold Rdiv.
  rewrite (mean_choice_ext _ _ (fun s => / count l * sum l (fun a => G a s))) by (intros; ring).
  rewrite mean_choice_scal. ring.
Qed.

(** What depends on the choice in one cell has the mean over that cell. *)
Lemma mean_choice_one M c (h : nat -> R) : (c < M)%nat ->
  mean_choice M (fun s => h (s c)) = mean places h.
Proof.
  induction M as [|m IH]; intros L; [lia|]. simpl. destruct (Nat.eq_dec c m) as [->|N].
  - apply mean_ext. intros v _. rewrite <- (mean_choice_const m (h v)). apply mean_choice_ext.
    intros s _. unfold set. destruct (Nat.eq_dec m m); [auto|congruence].
  - rewrite <- (mean_const places (mean places h)) by apply places_some.
    apply mean_ext. intros v _. rewrite <- IH by lia. apply mean_choice_ext. intros s _.
    unfold set. destruct (Nat.eq_dec c m); [congruence|auto].
Qed.

(** A choice in one cell may be made anew. *)
Lemma mean_choice_anew M c : forall G, (c < M)%nat ->
  mean_choice M G = mean_choice M (fun s => mean places (fun v => G (set s c v))).
Proof.
  induction M as [|m IH]; intros G L; [lia|]. simpl. destruct (Nat.eq_dec c m) as [->|N].
  - set (A := mean places (fun v => mean_choice m (fun s => G (set s m v)))).
    rewrite <- (mean_const places A) by apply places_some. apply mean_ext. intros v _.
    unfold A. rewrite <- mean_choice_mean. apply mean_choice_ext. intros s _. apply mean_ext.
    intros v' _. f_equal. apply functional_extensionality. intros x. unfold set.
    destruct (Nat.eq_dec x m); auto.
  - apply mean_ext. intros v _. rewrite (IH (fun s => G (set s m v))) by lia.
    apply mean_choice_ext. intros s _. apply mean_ext. intros v' _. f_equal.
    apply functional_extensionality. intros x. unfold set.
    destruct (Nat.eq_dec x m), (Nat.eq_dec x c); auto; lia.
Qed.
End Choices.

(** Finite probability spaces: P1's additivity along a path of independent steps. *)

Require Import Reals Lra Lia List Arith.
From Ibn Require Import Sums.
Import ListNotations.
Open Scope R_scope.

Section Variances.
Context {O : Type}.
Variables (outcomes : list O) (weight : O -> R).

Definition probability :=
  (forall o, In o outcomes -> 0 <= weight o) /\ sum outcomes weight = 1.

Definition expectation (X : O -> R) : R := sum outcomes (fun o => weight o * X o).
Definition var (X : O -> R) : R := expectation (fun o => (X o - expectation X) ^ 2).

Definition equals (X : O -> R) (x : R) (o : O) : R := if Req_EM_T x (X o) then 1 else 0.

(** P(X = x, Y = y) = P(X = x) P(Y = y) for all values x and y. *)
Definition independent (X Y : O -> R) := forall x y,
  expectation (fun o => equals X x o * equals Y y o) =
  expectation (equals X x) * expectation (equals Y y).

Definition total (steps : list (O -> R)) (o : O) : R := sum steps (fun X => X o).

Lemma expectation_ext X Y :
  (forall o, In o outcomes -> X o = Y o) -> expectation X = expectation Y.
Proof. intros H. apply sum_ext. intros. now rewrite H. Qed.

Lemma expectation_plus X Y :
  expectation (fun o => X o + Y o) = expectation X + expectation Y.
Proof. unfold expectation. rewrite <- sum_plus. apply sum_ext. intros. lra. Qed.

Lemma expectation_scal c X : expectation (fun o => c * X o) = c * expectation X.
Proof. unfold expectation. rewrite <- sum_scal. apply sum_ext. intros. lra. Qed.

Lemma expectation_const c : probability -> expectation (fun _ => c) = c.
Proof.
  intros (_ & H). unfold expectation.
  rewrite (sum_ext _ _ (fun o => c * weight o)) by (intros; lra). rewrite sum_scal, H. lra.
Qed.

Lemma expectation_sum {A} (l : list A) (F : A -> O -> R) :
  expectation (fun o => sum l (fun a => F a o)) = sum l (fun a => expectation (F a)).
Proof.
  unfold expectation. rewrite <- sum_swap. apply sum_ext. intros. now rewrite sum_scal.
Qed.

Definition values (X : O -> R) : list R := nodup Req_EM_T (map X outcomes).

Lemma by_values X o : In o outcomes -> X o = sum (values X) (fun x => x * equals X x o).
Proof.
  intros I. symmetry.
  rewrite (sum_ext _ _ (fun x => if Req_EM_T x (X o) then x else 0)).
  - rewrite (sum_at Req_EM_T (values X) (X o) (fun x => x)); auto.
    + apply NoDup_nodup.
    + apply nodup_In. now apply in_map.
  - intros x _. unfold equals. destruct (Req_EM_T x (X o)); lra.
Qed.

Lemma expectation_by_values X :
  expectation X = sum (values X) (fun x => x * expectation (equals X x)).
Proof.
  transitivity (expectation (fun o => sum (values X) (fun x => x * equals X x o))).
  - apply expectation_ext, by_values.
  - rewrite (expectation_sum (values X) (fun x o => x * equals X x o)).
    apply sum_ext. intros. apply expectation_scal.
Qed.

Lemma independent_product X Y : independent X Y ->
  expectation (fun o => X o * Y o) = expectation X * expectation Y.
Proof.
  intros H.
  transitivity (expectation (fun o => sum (values X) (fun x => sum (values Y) (fun y =>
    x * y * (equals X x o * equals Y y o))))).
  { apply expectation_ext. intros o I. rewrite (by_values X o I) at 1.
    rewrite (by_values Y o I) at 1.
    rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros x _.
    rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros. lra. }
  rewrite (expectation_sum (values X) (fun x o => sum (values Y) (fun y =>
    x * y * (equals X x o * equals Y y o)))).
  rewrite (expectation_by_values X), Rmult_comm, <- sum_scal. apply sum_ext. intros x _.
  rewrite (expectation_sum (values Y) (fun y o => x * y * (equals X x o * equals Y y o))).
  rewrite (expectation_by_values Y), Rmult_comm, <- sum_scal. apply sum_ext. intros y _.
  rewrite expectation_scal, H. lra.
Qed.

Lemma var_by_square X : probability ->
  var X = expectation (fun o => X o * X o) - expectation X * expectation X.
Proof.
  intros P. unfold var. set (m := expectation X).
  transitivity (expectation (fun o => X o * X o + (-2 * m) * X o + m * m)).
  - apply expectation_ext. intros. lra.
  - rewrite expectation_plus, expectation_plus, expectation_scal, expectation_const by auto.
    fold m. lra.
Qed.

(** claim: P1
    part: cumulants
    says: On every finite probability space the variance of a sum of pairwise independent steps,
      however they are distributed and however many they are, is the sum of their variances.
    tex: \mathrm{Var}\Big[\sum_i X_i\Big]=\sum_i\mathrm{Var}[X_i] *)
Theorem p1_variances_add steps : probability -> ForallOrdPairs independent steps ->
  var (total steps) = sum steps var.
Proof.
  intros P. induction 1 as [|X steps H _ IH]; simpl.
  - rewrite var_by_square by auto. unfold total. simpl.
    rewrite (expectation_ext (fun _ => 0 * 0) (fun _ => 0)) by (intros; lra).
    rewrite expectation_const by auto. lra.
  - rewrite <- IH, !var_by_square by auto.
    assert (C : expectation (fun o => X o * total steps o) =
                expectation X * expectation (total steps)).
    { transitivity (expectation (fun o => sum steps (fun Y => X o * Y o))).
      - apply expectation_ext. intros. unfold total. now rewrite sum_scal.
      - rewrite (expectation_sum steps (fun Y o => X o * Y o)).
        unfold total at 1. rewrite (expectation_sum steps (fun Y o => Y o)), <- sum_scal.
        apply sum_ext. intros Y I. apply independent_product.
        rewrite Forall_forall in H. now apply H. }
    assert (M : expectation (total (X :: steps)) = expectation X + expectation (total steps)).
    { unfold total at 1. simpl. apply expectation_plus. }
    rewrite M.
    rewrite (expectation_ext (fun o => total (X :: steps) o * total (X :: steps) o)
      (fun o => (X o * X o + 2 * (X o * total steps o)) + total steps o * total steps o)).
    + rewrite !expectation_plus, expectation_scal, C. lra.
    + intros. unfold total. simpl. lra.
Qed.

End Variances.

(** claim: P1
    mutant: standard deviations add, not variances
    says: Two independent fair signs have standard deviations 1 and 1 and their sum has √2.
    tex: \exists X,Y\text{ independent}:\ \mathrm{Var}[X+Y]\ne
      \bigl(\sqrt{\mathrm{Var}X}+\sqrt{\mathrm{Var}Y}\bigr)^2 *)
Theorem p1_standard_deviations_do_not_add :
  ~ (forall (outcomes : list (bool * bool)) weight X Y,
      probability outcomes weight -> independent outcomes weight X Y ->
      var outcomes weight (total [X; Y]) =
      (sqrt (var outcomes weight X) + sqrt (var outcomes weight Y)) ^ 2).
Proof.
  intros H. set (sign := fun b : bool => if b then 1 else -1).
  specialize (H [(true, true); (true, false); (false, true); (false, false)] (fun _ => / 4)
    (fun o => sign (fst o)) (fun o => sign (snd o))).
  unfold var, expectation, total in H. simpl in H.
  match type of H with _ -> _ -> ?v = (sqrt ?a + sqrt ?b) * _ =>
    replace a with 1 in H by field; replace b with 1 in H by field end.
  rewrite sqrt_1 in H.
  match type of H with ?A -> ?B -> _ => assert (A) as HA; [|assert (B) as HB] end.
  - split; simpl; intros; lra.
  - intros x y. unfold expectation, equals. simpl.
    repeat match goal with |- context [Req_EM_T ?a ?b] => destruct (Req_EM_T a b) end; try lra.
  - specialize (H HA HB). lra.
Qed.

(* Theorems with a proof each, for the environments `CoqTactic` and `CoqProof` (kind `library`). *)
Require Import Arith Lia List.
Import ListNotations.

Theorem and_swap (P Q : Prop) : P /\ Q -> Q /\ P.
Proof. intros [p q]. split. - exact q. - exact p. Qed.
Theorem and_assoc_iff (P Q R : Prop) : (P /\ Q) /\ R <-> P /\ (Q /\ R).
Proof. split. - intros [[p q] r]. repeat split; assumption. - intros [p [q r]]. repeat split; assumption. Qed.
Theorem or_swap (P Q : Prop) : P \/ Q -> Q \/ P.
Proof. intros [p | q]. - right. exact p. - left. exact q. Qed.
Theorem or_assoc_iff (P Q R : Prop) : (P \/ Q) \/ R <-> P \/ (Q \/ R).
Proof. split. - intros [[p | q] | r]; auto. - intros [p | [q | r]]; auto. Qed.
Theorem and_or_distrib (P Q R : Prop) : P /\ (Q \/ R) <-> (P /\ Q) \/ (P /\ R).
Proof. split. - intros [p [q | r]]. + left. split; assumption. + right. split; assumption. - intros [[p q] | [p r]]; auto. Qed.
Theorem or_and_distrib (P Q R : Prop) : P \/ (Q /\ R) <-> (P \/ Q) /\ (P \/ R).
Proof. split. - intros [p | [q r]]; auto. - intros [[p | q] [p' | r]]; auto. Qed.
Theorem imp_trans (P Q R : Prop) : (P -> Q) -> (Q -> R) -> P -> R.
Proof. intros f g p. apply g. apply f. exact p. Qed.
Theorem curry_iff (P Q R : Prop) : (P /\ Q -> R) <-> (P -> Q -> R).
Proof. split. - intros f p q. apply f. split; assumption. - intros f [p q]. apply f; assumption. Qed.
Theorem s_combinator (P Q R : Prop) : (P -> Q -> R) -> (P -> Q) -> P -> R.
Proof. intros f g p. apply f. - exact p. - apply g. exact p. Qed.
Theorem contrapose (P Q : Prop) : (P -> Q) -> ~ Q -> ~ P.
Proof. intros f nq p. apply nq. apply f. exact p. Qed.
Theorem not_or_iff (P Q : Prop) : ~ (P \/ Q) <-> ~ P /\ ~ Q.
Proof. split. - intros h. split. + intros p. apply h. left. exact p. + intros q. apply h. right. exact q. - intros [np nq] [p | q]; contradiction. Qed.
Theorem not_and_of_or (P Q : Prop) : ~ P \/ ~ Q -> ~ (P /\ Q).
Proof. intros [np | nq] [p q]; contradiction. Qed.
Theorem not_not_em (P : Prop) : ~ ~ (P \/ ~ P).
Proof. intros h. apply h. right. intros p. apply h. left. exact p. Qed.
Theorem triple_neg (P : Prop) : ~ ~ ~ P -> ~ P.
Proof. intros h p. apply h. intros np. contradiction. Qed.
Theorem not_iff_self (P : Prop) : ~ (P <-> ~ P).
Proof. intros [f g]. assert (np : ~ P). { intros p. exact (f p p). } exact (np (g np)). Qed.
Theorem dn_map (P Q : Prop) : (P -> Q) -> ~ ~ P -> ~ ~ Q.
Proof. intros f h nq. apply h. intros p. apply nq. apply f. exact p. Qed.
Theorem iff_trans_prop (P Q R : Prop) : (P <-> Q) -> (Q <-> R) -> (P <-> R).
Proof. intros h k. rewrite h. exact k. Qed.
Theorem absurd_or (P Q : Prop) : P \/ Q -> ~ P -> Q.
Proof. intros [p | q] np. - contradiction. - exact q. Qed.
Theorem or_imp_iff (P Q R : Prop) : (P \/ Q -> R) <-> (P -> R) /\ (Q -> R).
Proof. split. - intros f. split; auto. - intros [f g] [p | q]; auto. Qed.
Theorem imp_and_iff (P Q R : Prop) : (P -> Q /\ R) <-> (P -> Q) /\ (P -> R).
Proof. split. - intros f. split; intros p; apply f; exact p. - intros [f g] p. split; auto. Qed.
Theorem forall_and (A : Type) (P Q : A -> Prop) : (forall x, P x /\ Q x) <-> (forall x, P x) /\ (forall x, Q x).
Proof. split. - intros h. split; intros x; apply h. - intros [f g] x. split; auto. Qed.
Theorem exists_or (A : Type) (P Q : A -> Prop) : (exists x, P x \/ Q x) <-> (exists x, P x) \/ (exists x, Q x).
Proof. split. - intros [x [p | q]]. + left. exists x. exact p. + right. exists x. exact q. - intros [[x p] | [x q]]; exists x; auto. Qed.
Theorem exists_and_imp (A : Type) (P Q : A -> Prop) : (exists x, P x /\ Q x) -> (exists x, P x) /\ (exists x, Q x).
Proof. intros [x [p q]]. split; exists x; assumption. Qed.
Theorem not_exists_iff (A : Type) (P : A -> Prop) : ~ (exists x, P x) <-> forall x, ~ P x.
Proof. split. - intros h x p. apply h. exists x. exact p. - intros h [x p]. exact (h x p). Qed.
Theorem exists_not_imp (A : Type) (P : A -> Prop) : (exists x, ~ P x) -> ~ forall x, P x.
Proof. intros [x n] h. apply n. apply h. Qed.
Theorem swap_exists_forall (A B : Type) (R : A -> B -> Prop) : (exists x, forall y, R x y) -> forall y, exists x, R x y.
Proof. intros [x h] y. exists x. apply h. Qed.
Theorem exists_swap (A B : Type) (R : A -> B -> Prop) : (exists x, exists y, R x y) -> exists y, exists x, R x y.
Proof. intros [x [y h]]. exists y. exists x. exact h. Qed.
Theorem barbara (A : Type) (P Q R : A -> Prop) : (forall x, P x -> Q x) -> (forall x, Q x -> R x) -> forall x, P x -> R x.
Proof. intros f g x p. apply g. apply f. exact p. Qed.
Theorem darii (A : Type) (P Q R : A -> Prop) : (forall x, P x -> Q x) -> (exists x, R x /\ P x) -> exists x, R x /\ Q x.
Proof. intros f [x [r p]]. exists x. split. - exact r. - apply f. exact p. Qed.
Theorem exists_imp_iff (A : Type) (P : A -> Prop) (Q : Prop) : ((exists x, P x) -> Q) <-> (forall x, P x -> Q).
Proof. split. - intros h x p. apply h. exists x. exact p. - intros h [x p]. exact (h x p). Qed.
Theorem barber (A : Type) (S : A -> A -> Prop) : ~ exists b, forall x, S b x <-> ~ S x x.
Proof. intros [b h]. destruct (h b) as [f g]. assert (n : ~ S b b). { intros s. exact (f s s). } exact (n (g n)). Qed.
Theorem eq_trans_thm (A : Type) (a b c : A) : a = b -> b = c -> a = c.
Proof. intros h k. rewrite h. exact k. Qed.
Theorem congr_two (A : Type) (f : A -> A -> A) (a b c d : A) : a = b -> c = d -> f a c = f b d.
Proof. intros h k. rewrite h. rewrite k. reflexivity. Qed.
Theorem leibniz (A : Type) (a b : A) : (forall P : A -> Prop, P a -> P b) -> a = b.
Proof. intros h. apply (h (fun x => a = x)). reflexivity. Qed.
Theorem involution_injective (A : Type) (f : A -> A) (h : forall x, f (f x) = x) : forall x y, f x = f y -> x = y.
Proof. intros x y e. rewrite <- (h x). rewrite e. apply h. Qed.
Theorem injective_comp (A B C : Type) (f : A -> B) (g : B -> C) (hf : forall x y, f x = f y -> x = y) (hg : forall x y, g x = g y -> x = y) : forall x y, g (f x) = g (f y) -> x = y.
Proof. intros x y h. apply hf. apply hg. exact h. Qed.
Theorem surjective_comp (A B C : Type) (f : A -> B) (g : B -> C) (hf : forall y, exists x, f x = y) (hg : forall z, exists y, g y = z) : forall z, exists x, g (f x) = z.
Proof. intros z. destruct (hg z) as [y hy]. destruct (hf y) as [x hx]. exists x. rewrite hx. exact hy. Qed.
Theorem left_inverse_injective (A B : Type) (f : A -> B) (g : B -> A) (h : forall x, g (f x) = x) : forall x y, f x = f y -> x = y.
Proof. intros x y e. rewrite <- (h x). rewrite e. apply h. Qed.
Theorem cantor (A : Type) (f : A -> A -> Prop) : ~ forall P : A -> Prop, exists x, forall y, f x y <-> P y.
Proof. intros h. destruct (h (fun y => ~ f y y)) as [x hx]. destruct (hx x) as [l r]. assert (n : ~ f x x). { intros s. exact (l s s). } exact (n (r n)). Qed.
Theorem subset_trans (A : Type) (P Q R : A -> Prop) : (forall x, P x -> Q x) -> (forall x, Q x -> R x) -> forall x, P x -> R x.
Proof. intros f g x p. apply g. apply f. exact p. Qed.
Theorem trans_four (A : Type) (R : A -> A -> Prop) (t : forall x y z, R x y -> R y z -> R x z) (a b c d : A) : R a b -> R b c -> R c d -> R a d.
Proof. intros h k l. apply (t a b d). - exact h. - apply (t b c d); assumption. Qed.
Theorem euclidean_symm (A : Type) (R : A -> A -> Prop) (r : forall x, R x x) (e : forall x y z, R x y -> R x z -> R y z) : forall x y, R x y -> R y x.
Proof. intros x y h. apply (e x y x). - exact h. - apply r. Qed.
Theorem irrefl_of_asymm (A : Type) (R : A -> A -> Prop) (h : forall x y, R x y -> ~ R y x) : forall x, ~ R x x.
Proof. intros x k. exact (h x x k k). Qed.
Theorem zero_add_thm (n : nat) : 0 + n = n.
Proof. reflexivity. Qed.
Theorem add_zero_thm (n : nat) : n + 0 = n.
Proof. induction n as [| n ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem add_succ_thm (n m : nat) : n + S m = S (n + m).
Proof. induction n as [| n ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem add_comm_thm (n m : nat) : n + m = m + n.
Proof. induction n as [| n ih]. - simpl. rewrite Nat.add_0_r. reflexivity. - simpl. rewrite ih. apply plus_n_Sm. Qed.
Theorem add_assoc_thm (a b c : nat) : a + b + c = a + (b + c).
Proof. induction a as [| a ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem mul_zero_thm (n : nat) : n * 0 = 0.
Proof. induction n as [| n ih]. - reflexivity. - simpl. exact ih. Qed.
Theorem mul_comm_thm (n m : nat) : n * m = m * n.
Proof. induction n as [| n ih]. - rewrite Nat.mul_0_r. reflexivity. - rewrite Nat.mul_succ_r. simpl. rewrite ih. apply Nat.add_comm. Qed.
Theorem mul_add_thm (a b c : nat) : a * (b + c) = a * b + a * c.
Proof. induction a as [| a ih]. - reflexivity. - simpl. rewrite ih. lia. Qed.
Theorem mul_assoc_thm (a b c : nat) : a * b * c = a * (b * c).
Proof. induction a as [| a ih]. - reflexivity. - simpl. rewrite Nat.mul_add_distr_r. rewrite ih. reflexivity. Qed.
Theorem two_mul_thm (n : nat) : 2 * n = n + n.
Proof. simpl. rewrite Nat.add_0_r. reflexivity. Qed.
Theorem square_sum (a b : nat) : (a + b) * (a + b) = a * a + 2 * (a * b) + b * b.
Proof. rewrite Nat.mul_add_distr_r. rewrite Nat.mul_add_distr_l. rewrite Nat.mul_add_distr_l. rewrite (Nat.mul_comm b a). lia. Qed.
Theorem succ_ne_self (n : nat) : S n <> n.
Proof. induction n as [| n ih]. - discriminate. - intros h. apply ih. injection h as h. exact h. Qed.
Theorem succ_inj_thm (n m : nat) : S n = S m -> n = m.
Proof. intros h. injection h as h. exact h. Qed.
Theorem zero_ne_succ (n : nat) : 0 <> S n.
Proof. discriminate. Qed.
Theorem zero_or_succ (n : nat) : n = 0 \/ exists k, n = S k.
Proof. destruct n as [| k]. - left. reflexivity. - right. exists k. reflexivity. Qed.
Theorem eq_zero_of_add (a b : nat) : a + b = 0 -> b = 0.
Proof. intros h. destruct a as [| a]. - exact h. - discriminate h. Qed.
Theorem mul_eq_zero_thm (a b : nat) : a * b = 0 -> a = 0 \/ b = 0.
Proof. intros h. destruct a as [| a]. - left. reflexivity. - right. destruct b as [| b]. + reflexivity. + discriminate h. Qed.
Theorem even_or_odd (n : nat) : (exists k, n = 2 * k) \/ exists k, n = 2 * k + 1.
Proof. induction n as [| n ih]. - left. exists 0. reflexivity. - destruct ih as [[k h] | [k h]]. + right. exists k. lia. + left. exists (S k). lia. Qed.
Theorem even_add_even (a b : nat) : (exists k, a = 2 * k) -> (exists k, b = 2 * k) -> exists k, a + b = 2 * k.
Proof. intros [k hk] [l hl]. exists (k + l). lia. Qed.
Theorem odd_add_odd (a b : nat) : (exists k, a = 2 * k + 1) -> (exists k, b = 2 * k + 1) -> exists k, a + b = 2 * k.
Proof. intros [k hk] [l hl]. exists (k + l + 1). lia. Qed.
Theorem even_mul (a b : nat) : (exists k, a = 2 * k) -> exists k, a * b = 2 * k.
Proof. intros [k hk]. exists (k * b). rewrite hk. symmetry. apply Nat.mul_assoc. Qed.
Theorem le_trans_thm (a b c : nat) : a <= b -> b <= c -> a <= c.
Proof. intros h k. induction k as [| c k ih]. - exact h. - apply le_S. exact ih. Qed.
Theorem le_antisymm_thm (a b : nat) : a <= b -> b <= a -> a = b.
Proof. intros h k. lia. Qed.
Theorem le_total_thm (a b : nat) : a <= b \/ b <= a.
Proof. lia. Qed.
Theorem lt_irrefl_thm (n : nat) : ~ n < n.
Proof. apply Nat.lt_irrefl. Qed.
Theorem not_lt_zero_thm (n : nat) : ~ n < 0.
Proof. intros h. inversion h. Qed.
Theorem le_add_thm (a b : nat) : a <= a + b.
Proof. induction a as [| a ih]. - apply Nat.le_0_l. - simpl. apply le_n_S. exact ih. Qed.
Theorem le_exists (a b : nat) : a <= b -> exists k, b = a + k.
Proof. intros h. exists (b - a). lia. Qed.
Theorem le_of_exists (a b : nat) : (exists k, b = a + k) -> a <= b.
Proof. intros [k hk]. rewrite hk. apply Nat.le_add_r. Qed.
Theorem mul_le_mul_thm (a b c : nat) : a <= b -> a * c <= b * c.
Proof. intros h. apply Nat.mul_le_mono_r. exact h. Qed.
Theorem divide_trans_thm (a b c : nat) : Nat.divide a b -> Nat.divide b c -> Nat.divide a c.
Proof. intros [k hk] [l hl]. exists (l * k). rewrite hl. rewrite hk. apply Nat.mul_assoc. Qed.
Theorem divide_add_thm (a b c : nat) : Nat.divide a b -> Nat.divide a c -> Nat.divide a (b + c).
Proof. intros [k hk] [l hl]. exists (k + l). rewrite hk. rewrite hl. symmetry. apply Nat.mul_add_distr_r. Qed.
Theorem power_value : 3 * 4 + 2 ^ 10 = 1036.
Proof. reflexivity. Qed.
Theorem gcd_value : Nat.gcd 84 36 = 12.
Proof. reflexivity. Qed.
Theorem order_value : 5 <= 7 /\ ~ 7 < 5.
Proof. split; lia. Qed.
Theorem pair_eta (x : nat * nat) : x = (fst x, snd x).
Proof. destruct x as [a b]. reflexivity. Qed.
Theorem pair_inj (a b c d : nat) : (a, b) = (c, d) -> a = c /\ b = d.
Proof. intros h. injection h as h k. split; assumption. Qed.
Theorem bool_cases (b : bool) : b = true \/ b = false.
Proof. destruct b. - left. reflexivity. - right. reflexivity. Qed.
Theorem negb_involutive_thm (b : bool) : negb (negb b) = b.
Proof. destruct b; reflexivity. Qed.
Theorem andb_comm_thm (a b : bool) : andb a b = andb b a.
Proof. destruct a; destruct b; reflexivity. Qed.
Theorem orb_de_morgan (a b : bool) : negb (orb a b) = andb (negb a) (negb b).
Proof. destruct a; destruct b; reflexivity. Qed.
Theorem append_nil_thm (A : Type) (l : list A) : l ++ nil = l.
Proof. induction l as [| x l ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem append_assoc_thm (A : Type) (a b c : list A) : (a ++ b) ++ c = a ++ (b ++ c).
Proof. induction a as [| x a ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem length_append_thm (A : Type) (a b : list A) : length (a ++ b) = length a + length b.
Proof. induction a as [| x a ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem length_map_thm (f : nat -> nat) (l : list nat) : length (map f l) = length l.
Proof. induction l as [| x l ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem map_append_thm (f : nat -> nat) (a b : list nat) : map f (a ++ b) = map f a ++ map f b.
Proof. induction a as [| x a ih]. - reflexivity. - simpl. rewrite ih. reflexivity. Qed.
Theorem rev_append_thm (A : Type) (a b : list A) : rev (a ++ b) = rev b ++ rev a.
Proof. induction a as [| x a ih]. - simpl. rewrite app_nil_r. reflexivity. - simpl. rewrite ih. rewrite app_assoc. reflexivity. Qed.
Theorem rev_rev_thm (A : Type) (l : list A) : rev (rev l) = l.
Proof. induction l as [| x l ih]. - reflexivity. - simpl. rewrite rev_app_distr. rewrite ih. reflexivity. Qed.
Theorem length_rev_append (A : Type) (a b : list A) : length (rev (a ++ b)) = length b + length a.
Proof. rewrite rev_length. rewrite app_length. apply Nat.add_comm. Qed.
Theorem cons_ne_nil_thm (x : nat) (l : list nat) : x :: l <> nil.
Proof. discriminate. Qed.
Theorem nonempty_list (l : list nat) (h : l <> nil) : exists x k, l = x :: k.
Proof. destruct l as [| x k]. - contradiction. - exists x. exists k. reflexivity. Qed.
Theorem in_append_left (x : nat) (a b : list nat) : In x a -> In x (a ++ b).
Proof. intros h. apply in_or_app. left. exact h. Qed.
Theorem group_left_cancel (G : Type) (m : G -> G -> G) (i : G -> G) (e : G) (assoc : forall x y z, m (m x y) z = m x (m y z)) (one : forall x, m e x = x) (inv : forall x, m (i x) x = e) (a b c : G) : m a b = m a c -> b = c.
Proof. intros h. rewrite <- (one b). rewrite <- (inv a). rewrite assoc. rewrite h. rewrite <- assoc. rewrite inv. apply one. Qed.
Theorem group_inv_unique (G : Type) (m : G -> G -> G) (i : G -> G) (e : G) (assoc : forall x y z, m (m x y) z = m x (m y z)) (one : forall x, m e x = x) (right_one : forall x, m x e = x) (inv : forall x, m (i x) x = e) (a b : G) : m a b = e -> b = i a.
Proof. intros h. rewrite <- (right_one (i a)). rewrite <- h. rewrite <- assoc. rewrite inv. rewrite one. reflexivity. Qed.
Theorem monoid_inverse_agree (M : Type) (m : M -> M -> M) (e : M) (assoc : forall x y z, m (m x y) z = m x (m y z)) (one : forall x, m e x = x) (right_one : forall x, m x e = x) (a b c : M) : m b a = e -> m a c = e -> b = c.
Proof. intros h k. rewrite <- (right_one b). rewrite <- k. rewrite <- assoc. rewrite h. apply one. Qed.

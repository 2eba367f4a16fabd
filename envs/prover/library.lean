prelude
import MiniNat
/-! Theorems with a proof each, for the environments `LeanTactic` and `LeanProof` (kind `library`). Each stands on
MiniNat alone; a tactic begins at each line that is indented by two. -/

theorem and_swap (p q : Prop) : p ∧ q → q ∧ p := by
  intro h
  exact ⟨h.2, h.1⟩
theorem and_assoc_iff (p q r : Prop) : (p ∧ q) ∧ r ↔ p ∧ (q ∧ r) := by
  constructor
  · rintro ⟨⟨a, b⟩, c⟩
    exact ⟨a, b, c⟩
  · rintro ⟨a, b, c⟩
    exact ⟨⟨a, b⟩, c⟩
theorem or_swap (p q : Prop) : p ∨ q → q ∨ p := by
  intro h
  cases h with
  | inl a => exact Or.inr a
  | inr b => exact Or.inl b
theorem or_assoc_iff (p q r : Prop) : (p ∨ q) ∨ r ↔ p ∨ (q ∨ r) := by
  constructor
  · rintro ((a | b) | c)
    · exact Or.inl a
    · exact Or.inr (Or.inl b)
    · exact Or.inr (Or.inr c)
  · rintro (a | b | c)
    · exact Or.inl (Or.inl a)
    · exact Or.inl (Or.inr b)
    · exact Or.inr c
theorem and_or_distrib (p q r : Prop) : p ∧ (q ∨ r) ↔ (p ∧ q) ∨ (p ∧ r) := by
  constructor
  · rintro ⟨hp, hq | hr⟩
    · exact Or.inl ⟨hp, hq⟩
    · exact Or.inr ⟨hp, hr⟩
  · rintro (⟨hp, hq⟩ | ⟨hp, hr⟩)
    · exact ⟨hp, Or.inl hq⟩
    · exact ⟨hp, Or.inr hr⟩
theorem or_and_distrib (p q r : Prop) : p ∨ (q ∧ r) ↔ (p ∨ q) ∧ (p ∨ r) := by
  constructor
  · rintro (hp | ⟨hq, hr⟩)
    · exact ⟨Or.inl hp, Or.inl hp⟩
    · exact ⟨Or.inr hq, Or.inr hr⟩
  · rintro ⟨hp | hq, hp' | hr⟩
    · exact Or.inl hp
    · exact Or.inl hp
    · exact Or.inl hp'
    · exact Or.inr ⟨hq, hr⟩
theorem imp_trans (p q r : Prop) : (p → q) → (q → r) → p → r := by
  intro f g hp
  exact g (f hp)
theorem curry_iff (p q r : Prop) : (p ∧ q → r) ↔ (p → q → r) := by
  constructor
  · intro f hp hq
    exact f ⟨hp, hq⟩
  · intro f h
    exact f h.1 h.2
theorem imp_swap (p q r : Prop) : (p → q → r) → q → p → r := by
  intro f hq hp
  exact f hp hq
theorem s_combinator (p q r : Prop) : (p → q → r) → (p → q) → p → r := by
  intro f g hp
  exact f hp (g hp)
theorem contrapose (p q : Prop) : (p → q) → ¬q → ¬p := by
  intro f nq hp
  exact nq (f hp)
theorem not_or_iff (p q : Prop) : ¬(p ∨ q) ↔ ¬p ∧ ¬q := by
  constructor
  · intro h
    constructor
    · intro hp
      exact h (Or.inl hp)
    · intro hq
      exact h (Or.inr hq)
  · rintro ⟨np, nq⟩ (hp | hq)
    · exact np hp
    · exact nq hq
theorem not_and_of_or (p q : Prop) : ¬p ∨ ¬q → ¬(p ∧ q) := by
  rintro (np | nq) ⟨hp, hq⟩
  · exact np hp
  · exact nq hq
theorem not_not_em (p : Prop) : ¬¬(p ∨ ¬p) := by
  intro h
  apply h
  right
  intro hp
  apply h
  left
  exact hp
theorem triple_neg (p : Prop) : ¬¬¬p → ¬p := by
  intro h hp
  apply h
  intro np
  exact np hp
theorem not_iff_self (p : Prop) : ¬(p ↔ ¬p) := by
  intro h
  have np : ¬p := fun hp => h.1 hp hp
  exact np (h.2 np)
theorem dn_map (p q : Prop) : (p → q) → ¬¬p → ¬¬q := by
  intro f h nq
  apply h
  intro hp
  exact nq (f hp)
theorem iff_trans_prop (p q r : Prop) : (p ↔ q) → (q ↔ r) → (p ↔ r) := by
  intro h k
  rw [h]
  exact k
theorem iff_symm_prop (p q : Prop) : (p ↔ q) → (q ↔ p) := by
  intro h
  constructor
  · exact h.2
  · exact h.1
theorem absurd_or (p q : Prop) : p ∨ q → ¬p → q := by
  intro h np
  cases h with
  | inl hp => exact absurd hp np
  | inr hq => exact hq
theorem and_imp_or (p q : Prop) : p ∧ q → p ∨ q := by
  intro h
  left
  exact h.1
theorem or_imp_iff (p q r : Prop) : (p ∨ q → r) ↔ (p → r) ∧ (q → r) := by
  constructor
  · intro f
    exact ⟨fun a => f (Or.inl a), fun b => f (Or.inr b)⟩
  · rintro ⟨f, g⟩ (a | b)
    · exact f a
    · exact g b
theorem imp_and_iff (p q r : Prop) : (p → q ∧ r) ↔ (p → q) ∧ (p → r) := by
  constructor
  · intro f
    exact ⟨fun a => (f a).1, fun a => (f a).2⟩
  · rintro ⟨f, g⟩ a
    exact ⟨f a, g a⟩
theorem peirce (p q : Prop) : ((p → q) → p) → p := by
  intro h
  rcases Classical.em p with hp | np
  · exact hp
  · apply h
    intro hp
    exact absurd hp np
theorem de_morgan_classical (p q : Prop) : ¬(p ∧ q) → ¬p ∨ ¬q := by
  intro h
  rcases Classical.em p with hp | np
  · right
    intro hq
    exact h ⟨hp, hq⟩
  · left
    exact np
theorem contrapose_classical (p q : Prop) : (¬q → ¬p) → p → q := by
  intro h hp
  apply Classical.byContradiction
  intro nq
  exact h nq hp
theorem dn_elim (p : Prop) : ¬¬p → p := by
  intro h
  exact Classical.not_not h
theorem imp_iff_not_or (p q : Prop) : (p → q) ↔ ¬p ∨ q := by
  constructor
  · intro f
    rcases Classical.em p with hp | np
    · exact Or.inr (f hp)
    · exact Or.inl np
  · rintro (np | hq) hp
    · exact absurd hp np
    · exact hq
theorem linearity (p q : Prop) : (p → q) ∨ (q → p) := by
  rcases Classical.em q with hq | nq
  · left
    intro _
    exact hq
  · right
    intro hq
    exact absurd hq nq
theorem true_and_iff (p : Prop) : True ∧ p ↔ p := by
  constructor
  · intro h
    exact h.2
  · intro hp
    exact ⟨trivial, hp⟩
theorem false_or_iff (p : Prop) : False ∨ p ↔ p := by
  constructor
  · rintro (h | hp)
    · exact h.elim
    · exact hp
  · intro hp
    exact Or.inr hp
theorem forall_and (α : Type) (P Q : α → Prop) : (∀ x, P x ∧ Q x) ↔ (∀ x, P x) ∧ (∀ x, Q x) := by
  constructor
  · intro h
    exact ⟨fun x => (h x).1, fun x => (h x).2⟩
  · intro h x
    exact ⟨h.1 x, h.2 x⟩
theorem exists_or (α : Type) (P Q : α → Prop) : (∃ x, P x ∨ Q x) ↔ (∃ x, P x) ∨ (∃ x, Q x) := by
  constructor
  · rintro ⟨x, hp | hq⟩
    · exact Or.inl ⟨x, hp⟩
    · exact Or.inr ⟨x, hq⟩
  · rintro (⟨x, hp⟩ | ⟨x, hq⟩)
    · exact ⟨x, Or.inl hp⟩
    · exact ⟨x, Or.inr hq⟩
theorem exists_and_imp (α : Type) (P Q : α → Prop) : (∃ x, P x ∧ Q x) → (∃ x, P x) ∧ (∃ x, Q x) := by
  rintro ⟨x, hp, hq⟩
  exact ⟨⟨x, hp⟩, ⟨x, hq⟩⟩
theorem not_exists_iff (α : Type) (P : α → Prop) : ¬(∃ x, P x) ↔ ∀ x, ¬P x := by
  constructor
  · intro h x hx
    exact h ⟨x, hx⟩
  · rintro h ⟨x, hx⟩
    exact h x hx
theorem exists_not_imp (α : Type) (P : α → Prop) : (∃ x, ¬P x) → ¬∀ x, P x := by
  rintro ⟨x, hx⟩ h
  exact hx (h x)
theorem not_forall_classical (α : Type) (P : α → Prop) : (¬∀ x, P x) → ∃ x, ¬P x := by
  intro h
  apply Classical.byContradiction
  intro k
  apply h
  intro x
  apply Classical.byContradiction
  intro nx
  exact k ⟨x, nx⟩
theorem swap_exists_forall (α β : Type) (R : α → β → Prop) : (∃ x, ∀ y, R x y) → ∀ y, ∃ x, R x y := by
  rintro ⟨x, h⟩ y
  exact ⟨x, h y⟩
theorem exists_swap (α β : Type) (R : α → β → Prop) : (∃ x, ∃ y, R x y) → ∃ y, ∃ x, R x y := by
  rintro ⟨x, y, h⟩
  exact ⟨y, x, h⟩
theorem forall_imp_exists (α : Type) (P : α → Prop) (a : α) : (∀ x, P x) → ∃ x, P x := by
  intro h
  exact ⟨a, h a⟩
theorem barbara (α : Type) (P Q R : α → Prop) : (∀ x, P x → Q x) → (∀ x, Q x → R x) → ∀ x, P x → R x := by
  intro f g x hx
  apply g
  apply f
  exact hx
theorem darii (α : Type) (P Q R : α → Prop) : (∀ x, P x → Q x) → (∃ x, R x ∧ P x) → ∃ x, R x ∧ Q x := by
  rintro f ⟨x, hr, hp⟩
  exact ⟨x, hr, f x hp⟩
theorem exists_imp_iff (α : Type) (P : α → Prop) (q : Prop) : ((∃ x, P x) → q) ↔ ∀ x, P x → q := by
  constructor
  · intro h x hx
    exact h ⟨x, hx⟩
  · rintro h ⟨x, hx⟩
    exact h x hx
theorem barber (α : Type) (S : α → α → Prop) : ¬∃ b, ∀ x, S b x ↔ ¬S x x := by
  rintro ⟨b, h⟩
  have k := h b
  have n : ¬S b b := fun s => k.1 s s
  exact n (k.2 n)
theorem drinker (α : Type) (a : α) (P : α → Prop) : ∃ x, P x → ∀ y, P y := by
  rcases Classical.em (∀ y, P y) with h | h
  · exact ⟨a, fun _ => h⟩
  · apply Classical.byContradiction
    intro k
    apply h
    intro y
    apply Classical.byContradiction
    intro ny
    exact k ⟨y, fun hy => absurd hy ny⟩
theorem eq_symm_thm (α : Type) (a b : α) : a = b → b = a := by
  intro h
  rw [h]
theorem eq_trans_thm (α : Type) (a b c : α) : a = b → b = c → a = c := by
  intro h k
  rw [h, k]
theorem congr_two (α : Type) (f : α → α → α) (a b c d : α) : a = b → c = d → f a c = f b d := by
  intro h k
  rw [h, k]
theorem leibniz (α : Type) (a b : α) : (∀ P : α → Prop, P a → P b) → a = b := by
  intro h
  exact h (fun x => a = x) rfl
theorem fixed_twice (f : Nat → Nat) (h : ∀ n, f n = n) : f (f 3) = 3 := by
  rw [h, h]
theorem involution_injective (α : Type) (f : α → α) (h : ∀ x, f (f x) = x) : ∀ x y, f x = f y → x = y := by
  intro x y e
  rw [← h x, e, h y]
theorem injective_comp (α β γ : Type) (f : α → β) (g : β → γ) (hf : ∀ x y, f x = f y → x = y) (hg : ∀ x y, g x = g y → x = y) : ∀ x y, g (f x) = g (f y) → x = y := by
  intro x y h
  apply hf
  apply hg
  exact h
theorem surjective_comp (α β γ : Type) (f : α → β) (g : β → γ) (hf : ∀ y, ∃ x, f x = y) (hg : ∀ z, ∃ y, g y = z) : ∀ z, ∃ x, g (f x) = z := by
  intro z
  rcases hg z with ⟨y, hy⟩
  rcases hf y with ⟨x, hx⟩
  exact ⟨x, by rw [hx, hy]⟩
theorem left_inverse_injective (α β : Type) (f : α → β) (g : β → α) (h : ∀ x, g (f x) = x) : ∀ x y, f x = f y → x = y := by
  intro x y e
  rw [← h x, e, h]
theorem right_inverse_surjective (α β : Type) (f : α → β) (g : β → α) (h : ∀ y, f (g y) = y) : ∀ y, ∃ x, f x = y := by
  intro y
  exact ⟨g y, h y⟩
theorem cantor (α : Type) (f : α → α → Prop) : ¬∀ P : α → Prop, ∃ x, ∀ y, f x y ↔ P y := by
  intro h
  rcases h (fun y => ¬f y y) with ⟨x, hx⟩
  have k := hx x
  have n : ¬f x x := fun s => k.1 s s
  exact n (k.2 n)
theorem subset_trans (α : Type) (A B C : α → Prop) : (∀ x, A x → B x) → (∀ x, B x → C x) → ∀ x, A x → C x := by
  intro f g x a
  exact g x (f x a)
theorem inter_comm (α : Type) (A B : α → Prop) : (fun x => A x ∧ B x) = (fun x => B x ∧ A x) := by
  funext x
  apply propext
  constructor
  · intro h
    exact ⟨h.2, h.1⟩
  · intro h
    exact ⟨h.2, h.1⟩
theorem union_comm (α : Type) (A B : α → Prop) : (fun x => A x ∨ B x) = (fun x => B x ∨ A x) := by
  funext x
  apply propext
  constructor <;> rintro (a | b)
  · exact Or.inr a
  · exact Or.inl b
  · exact Or.inr a
  · exact Or.inl b
theorem preimage_inter (α β : Type) (f : α → β) (A B : β → Prop) (x : α) : (fun y => A y ∧ B y) (f x) ↔ A (f x) ∧ B (f x) := by
  exact Iff.rfl
theorem compl_compl (α : Type) (A : α → Prop) (x : α) : ¬¬A x ↔ A x := by
  constructor
  · exact Classical.not_not
  · intro a n
    exact n a
theorem trans_four (α : Type) (R : α → α → Prop) (t : ∀ x y z, R x y → R y z → R x z) (a b c d : α) : R a b → R b c → R c d → R a d := by
  intro h k l
  exact t a c d (t a b c h k) l
theorem euclidean_symm (α : Type) (R : α → α → Prop) (r : ∀ x, R x x) (e : ∀ x y z, R x y → R x z → R y z) : ∀ x y, R x y → R y x := by
  intro x y h
  exact e x y x h (r x)
theorem irrefl_of_asymm (α : Type) (R : α → α → Prop) (h : ∀ x y, R x y → ¬R y x) : ∀ x, ¬R x x := by
  intro x k
  exact h x x k k
theorem zero_add_thm (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
theorem succ_add_thm (n m : Nat) : Nat.succ n + m = Nat.succ (n + m) := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg Nat.succ ih
theorem add_comm_thm (n m : Nat) : n + m = m + n := by
  induction m with
  | zero => exact (Nat.zero_add n).symm
  | succ m ih => rw [Nat.add_succ, ih, Nat.succ_add]
theorem add_assoc_thm (a b c : Nat) : a + b + c = a + (b + c) := by
  induction c with
  | zero => rfl
  | succ c ih => exact congrArg Nat.succ ih
theorem add_swap_middle (a b c d : Nat) : (a + b) + (c + d) = (a + c) + (b + d) := by
  rw [Nat.add_assoc, Nat.add_assoc, Nat.add_left_comm b c d]
theorem zero_mul_thm (n : Nat) : 0 * n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => rw [Nat.mul_succ, ih]
theorem mul_comm_thm (n m : Nat) : n * m = m * n := by
  induction m with
  | zero => exact (Nat.zero_mul n).symm
  | succ m ih => rw [Nat.mul_succ, Nat.succ_mul, ih]
theorem mul_add_thm (a b c : Nat) : a * (b + c) = a * b + a * c := by
  induction c with
  | zero => rfl
  | succ c ih => rw [Nat.add_succ, Nat.mul_succ, Nat.mul_succ, ih, Nat.add_assoc]
theorem mul_assoc_thm (a b c : Nat) : a * b * c = a * (b * c) := by
  induction c with
  | zero => rfl
  | succ c ih => rw [Nat.mul_succ, Nat.mul_succ, Nat.mul_add, ih]
theorem two_mul_thm (n : Nat) : 2 * n = n + n := by
  rw [Nat.succ_mul, Nat.one_mul]
theorem square_sum (a b : Nat) : (a + b) * (a + b) = a * a + 2 * (a * b) + b * b := by
  rw [Nat.mul_add, Nat.add_mul, Nat.add_mul, Nat.succ_mul 1, Nat.one_mul]
  rw [Nat.mul_comm b a]
  simp only [Nat.add_assoc]
theorem mul_two_even (n : Nat) : ∃ k, n * (2 * n) = 2 * k := by
  exact ⟨n * n, Nat.mul_left_comm n 2 n⟩
theorem succ_ne_self (n : Nat) : Nat.succ n ≠ n := by
  induction n with
  | zero =>
    intro h
    cases h
  | succ n ih =>
    intro h
    exact ih (Nat.succ_inj h)
theorem succ_inj_thm (n m : Nat) : n + 1 = m + 1 → n = m := by
  intro h
  injection h
theorem zero_ne_succ (n : Nat) : 0 ≠ n + 1 := by
  intro h
  cases h
theorem zero_or_succ (n : Nat) : n = 0 ∨ ∃ k, n = k + 1 := by
  cases n with
  | zero => exact Or.inl rfl
  | succ k => exact Or.inr ⟨k, rfl⟩
theorem eq_zero_of_add (a b : Nat) : a + b = 0 → b = 0 := by
  intro h
  cases b with
  | zero => rfl
  | succ b => exact absurd h (Nat.succ_ne_zero _)
theorem mul_eq_zero_thm (a b : Nat) : a * b = 0 → a = 0 ∨ b = 0 := by
  intro h
  cases b with
  | zero => exact Or.inr rfl
  | succ b =>
    cases a with
    | zero => exact Or.inl rfl
    | succ a => exact absurd h (Nat.succ_ne_zero _)
theorem even_or_odd (n : Nat) : (∃ k, n = 2 * k) ∨ ∃ k, n = 2 * k + 1 := by
  induction n with
  | zero => exact Or.inl ⟨0, rfl⟩
  | succ n ih =>
    rcases ih with ⟨k, hk⟩ | ⟨k, hk⟩
    · exact Or.inr ⟨k, congrArg Nat.succ hk⟩
    · exact Or.inl ⟨k + 1, congrArg Nat.succ hk⟩
theorem even_add_even (a b : Nat) : (∃ k, a = 2 * k) → (∃ k, b = 2 * k) → ∃ k, a + b = 2 * k := by
  rintro ⟨k, hk⟩ ⟨l, hl⟩
  exact ⟨k + l, by rw [hk, hl, Nat.mul_add]⟩
theorem odd_add_odd (a b : Nat) : (∃ k, a = 2 * k + 1) → (∃ k, b = 2 * k + 1) → ∃ k, a + b = 2 * k := by
  rintro ⟨k, hk⟩ ⟨l, hl⟩
  refine ⟨k + l + 1, ?_⟩
  rw [hk, hl, Nat.mul_add, Nat.mul_add, Nat.add_assoc, Nat.add_left_comm 1]
  rw [Nat.add_assoc]
theorem even_mul (a b : Nat) : (∃ k, a = 2 * k) → ∃ k, a * b = 2 * k := by
  rintro ⟨k, hk⟩
  exact ⟨k * b, by rw [hk, Nat.mul_assoc]⟩
theorem le_refl_thm (n : Nat) : n ≤ n := by
  exact Nat.le.refl
theorem zero_le_thm (n : Nat) : 0 ≤ n := by
  induction n with
  | zero => exact Nat.le.refl
  | succ n ih => exact Nat.le.step ih
theorem le_trans_thm (a b c : Nat) : a ≤ b → b ≤ c → a ≤ c := by
  intro h k
  induction k with
  | refl => exact h
  | step _ ih => exact Nat.le.step ih
theorem le_antisymm_thm (a b : Nat) : a ≤ b → b ≤ a → a = b := by
  intro h k
  exact Nat.le_antisymm h k
theorem le_total_thm (a b : Nat) : a ≤ b ∨ b ≤ a := by
  induction b with
  | zero => exact Or.inr (Nat.zero_le a)
  | succ b ih =>
    rcases ih with h | h
    · exact Or.inl (Nat.le.step h)
    · cases h with
      | refl => exact Or.inl (Nat.le_succ _)
      | step h => exact Or.inr (Nat.succ_le_succ h)
theorem lt_irrefl_thm (n : Nat) : ¬n < n := by
  exact Nat.lt_irrefl n
theorem lt_trans_thm (a b c : Nat) : a < b → b < c → a < c := by
  intro h k
  exact Nat.lt_trans h k
theorem not_lt_zero_thm (n : Nat) : ¬n < 0 := by
  intro h
  cases h
theorem lt_succ_self_thm (n : Nat) : n < n + 1 := by
  exact Nat.le.refl
theorem le_of_lt_succ_thm (a b : Nat) : a < b + 1 → a ≤ b := by
  intro h
  exact Nat.le_of_succ_le_succ h
theorem le_add_thm (a b : Nat) : a ≤ a + b := by
  induction b with
  | zero => exact Nat.le.refl
  | succ b ih => exact Nat.le.step ih
theorem add_le_add_thm (a b c d : Nat) : a ≤ b → c ≤ d → a + c ≤ b + d := by
  intro h k
  apply Nat.le_trans (Nat.add_le_add_right h c)
  exact Nat.add_le_add_left k b
theorem le_exists (a b : Nat) : a ≤ b → ∃ k, b = a + k := by
  intro h
  induction h with
  | refl => exact ⟨0, rfl⟩
  | step _ ih =>
    rcases ih with ⟨k, hk⟩
    exact ⟨k + 1, congrArg Nat.succ hk⟩
theorem le_of_exists (a b : Nat) : (∃ k, b = a + k) → a ≤ b := by
  rintro ⟨k, hk⟩
  rw [hk]
  exact Nat.le_add_right a k
theorem mul_le_mul_thm (a b c : Nat) : a ≤ b → a * c ≤ b * c := by
  intro h
  induction c with
  | zero => exact Nat.le.refl
  | succ c ih => exact Nat.add_le_add ih h
theorem dvd_refl_thm (a : Nat) : a ∣ a := by
  exact ⟨1, (Nat.mul_one a).symm⟩
theorem dvd_trans_thm (a b c : Nat) : a ∣ b → b ∣ c → a ∣ c := by
  rintro ⟨k, hk⟩ ⟨l, hl⟩
  refine ⟨k * l, ?_⟩
  rw [hl, hk]
  exact Nat.mul_assoc a k l
theorem dvd_add_thm (a b c : Nat) : a ∣ b → a ∣ c → a ∣ b + c := by
  rintro ⟨k, hk⟩ ⟨l, hl⟩
  refine ⟨k + l, ?_⟩
  rw [hk, hl]
  exact (Nat.mul_add a k l).symm
theorem dvd_mul_thm (a b c : Nat) : a ∣ b → a ∣ b * c := by
  rintro ⟨k, hk⟩
  refine ⟨k * c, ?_⟩
  rw [hk]
  exact Nat.mul_assoc a k c
theorem one_dvd_thm (a : Nat) : 1 ∣ a := by
  exact ⟨a, (Nat.one_mul a).symm⟩
theorem pow_two_thm (n : Nat) : n ^ 2 = n * n := by
  rw [Nat.pow_succ, Nat.pow_succ, Nat.pow_zero, Nat.one_mul]
theorem one_pow_thm (n : Nat) : 1 ^ n = 1 := by
  induction n with
  | zero => rfl
  | succ n ih => rw [Nat.pow_succ, ih]
theorem pow_add_thm (a m n : Nat) : a ^ (m + n) = a ^ m * a ^ n := by
  induction n with
  | zero => rw [Nat.pow_zero, Nat.mul_one, Nat.add_zero]
  | succ n ih => rw [Nat.add_succ, Nat.pow_succ, Nat.pow_succ, ih, Nat.mul_assoc]
theorem power_value : 3 * 4 + 2 ^ 10 = 1036 := by
  decide
theorem big_product : 123456789 * 987654321 = 121932631112635269 := by
  decide
theorem gcd_value : Nat.gcd 84 36 = 12 := by
  decide
theorem division_value : 1234567 / 89 = 13871 := by
  rfl
theorem order_value : 5 ≤ 7 ∧ ¬7 < 5 := by
  decide
theorem eq_decidable (a b : Nat) : a = b ∨ a ≠ b := by
  by_cases h : a = b
  · left
    exact h
  · right
    exact h
theorem if_le (a b : Nat) : (if a = b then 1 else 2) ≤ 2 := by
  split
  · decide
  · decide
theorem pair_eta (x : Nat × Nat) : x = (x.1, x.2) := by
  cases x
  rfl
theorem pair_inj (a b c d : Nat) : (a, b) = (c, d) → a = c ∧ b = d := by
  intro h
  exact ⟨congrArg Prod.fst h, congrArg Prod.snd h⟩
theorem bool_cases (b : Bool) : b = true ∨ b = false := by
  cases b
  · exact Or.inr rfl
  · exact Or.inl rfl
theorem nil_append_thm (α : Type) (l : List α) : [] ++ l = l := by
  rfl
theorem append_nil_thm (α : Type) (l : List α) : l ++ [] = l := by
  induction l with
  | nil => rfl
  | cons x l ih => exact congrArg (List.cons x) ih
theorem append_assoc_thm (α : Type) (a b c : List α) : a ++ b ++ c = a ++ (b ++ c) := by
  induction a with
  | nil => rfl
  | cons x a ih => exact congrArg (List.cons x) ih
theorem length_append_thm (α : Type) (a b : List α) : List.length (a ++ b) = List.length a + List.length b := by
  induction a with
  | nil => exact (Nat.zero_add _).symm
  | cons x a ih => exact (congrArg Nat.succ ih).trans (Nat.succ_add _ _).symm
theorem length_map_thm (f : Nat → Nat) (l : List Nat) : List.length (List.map f l) = List.length l := by
  induction l with
  | nil => rfl
  | cons x l ih => exact congrArg Nat.succ ih
theorem map_append_thm (f : Nat → Nat) (a b : List Nat) : List.map f (a ++ b) = List.map f a ++ List.map f b := by
  induction a with
  | nil => rfl
  | cons x a ih => exact congrArg (List.cons (f x)) ih
theorem rev_append_thm (α : Type) (a b : List α) : List.rev (a ++ b) = List.rev b ++ List.rev a := by
  induction a with
  | nil => exact (List.append_nil _).symm
  | cons x a ih =>
    show List.rev (a ++ b) ++ (x :: []) = List.rev b ++ (List.rev a ++ (x :: []))
    rw [ih, List.append_assoc]
theorem rev_rev_thm (α : Type) (l : List α) : List.rev (List.rev l) = l := by
  induction l with
  | nil => rfl
  | cons x l ih =>
    show List.rev (List.rev l ++ (x :: [])) = x :: l
    rw [List.rev_append, ih]
    rfl
theorem length_rev_append (α : Type) (a b : List α) : List.length (List.rev (a ++ b)) = List.length b + List.length a := by
  rw [List.length_rev, List.length_append, Nat.add_comm]
theorem sum_append_thm (a b : List Nat) : List.sum (a ++ b) = List.sum a + List.sum b := by
  induction a with
  | nil => exact (Nat.zero_add _).symm
  | cons x a ih =>
    show x + List.sum (a ++ b) = x + List.sum a + List.sum b
    rw [ih, Nat.add_assoc]
theorem sum_rev (l : List Nat) : List.sum (List.rev l) = List.sum l := by
  induction l with
  | nil => rfl
  | cons x l ih =>
    show List.sum (List.rev l ++ (x :: [])) = x + List.sum l
    rw [List.sum_append, ih, Nat.add_comm]
    rfl
theorem cons_ne_nil_thm (x : Nat) (l : List Nat) : x :: l ≠ [] := by
  intro h
  cases h
theorem cons_inj_thm (x y : Nat) (a b : List Nat) : x :: a = y :: b → x = y ∧ a = b := by
  intro h
  injection h with h k
  exact ⟨h, k⟩
theorem nonempty_list (xs : List Nat) (h : xs ≠ []) : ∃ y, ∃ ys, xs = y :: ys := by
  cases xs with
  | nil => exact absurd rfl h
  | cons y ys => exact ⟨y, ys, rfl⟩
theorem mem_append_left (x : Nat) (a b : List Nat) : List.Mem x a → List.Mem x (a ++ b) := by
  intro h
  induction h with
  | head l => exact List.Mem.head _
  | tail y _ ih => exact List.Mem.tail y ih
theorem group_left_cancel (G : Type) (m : G → G → G) (i : G → G) (e : G) (assoc : ∀ x y z, m (m x y) z = m x (m y z)) (one : ∀ x, m e x = x) (inv : ∀ x, m (i x) x = e) (a b c : G) : m a b = m a c → b = c := by
  intro h
  rw [← one b, ← inv a, assoc, h, ← assoc, inv, one]
theorem group_inv_unique (G : Type) (m : G → G → G) (i : G → G) (e : G) (assoc : ∀ x y z, m (m x y) z = m x (m y z)) (one : ∀ x, m e x = x) (right : ∀ x, m x e = x) (inv : ∀ x, m (i x) x = e) (a b : G) : m a b = e → b = i a := by
  intro h
  rw [← right (i a), ← h, ← assoc, inv, one]
theorem involution_group_comm (G : Type) (m : G → G → G) (e : G) (assoc : ∀ x y z, m (m x y) z = m x (m y z)) (one : ∀ x, m e x = x) (right : ∀ x, m x e = x) (sq : ∀ x, m x x = e) (a b : G) : m a b = m b a := by
  have h : m (m a b) (m a b) = e := sq (m a b)
  have k : m a (m (m a b) (m a b)) = a := by rw [h, right]
  rw [assoc, ← assoc a a, sq, one] at k
  have l : m b (m b (m a b)) = m b a := by rw [k]
  rw [← assoc b b, sq, one] at l
  exact l
theorem monoid_inverse_agree (M : Type) (m : M → M → M) (e : M) (assoc : ∀ x y z, m (m x y) z = m x (m y z)) (one : ∀ x, m e x = x) (right : ∀ x, m x e = x) (a b c : M) : m b a = e → m a c = e → b = c := by
  intro h k
  rw [← right b, ← k, ← assoc, h, one]

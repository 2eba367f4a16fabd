"""Who deserves what: from rewards to advantages. Pure functions on arrays, in float64, without torch.

Axes: B trajectories, K steps of a trajectory (a step ends where a credit ends, or at the end of a turn without one), T
tokens. `group_B` holds one integer a trajectory; trajectories of one task share it. A trajectory that could not be
judged has `nan` among its rewards: it takes no part in any statistic and gets advantage 0. A mask says where a
trajectory has a step or a sampled token; gaps (observations, other trajectories' turns) are passed through.

| module | what |
| --- | --- |
| `groups` | one number a trajectory, from its group: GRPO, Dr. GRPO, RLOO, ReMax, OPO, GPG, MaxRL, pass@k |
| `steps` | one number a step: reward to go minus leave-one-out (the default), GiGPO, PURE |
| `gae` | with a value model: GAE over tokens, over turns, in two levels; REINFORCE++ without one; VAPO's lambdas |
| `trees` | from branches: node values, SPO, TreeRL, Tree-GRPO, TreePO, VinePPO |
| `implicit` | PRIME: rewards from the log-probabilities of a reward model |
| `scaling` | one standard deviation for all, whitening, the soft penalty on overlong answers |

| name | advantage of step k of trajectory i | biased? |
| --- | --- | --- |
| `step_leave_one_out` | G_ik − mean over the other j of G_jk; an ended trajectory counts 0 | no |
| `trajectory_leave_one_out` | R_i − mean over the other j of R_j | no |
| `trajectory_grpo` | (R_i − mean) / (std + eps) | by the std |
| `step_index_centred` | the sum to go of r_ik − mean over living j of r_jk | yes: do not train with it |

The last subtracts a number of terms that the policy itself chooses by stopping; `tests/agents/test_advantages.py`
enumerates a decision process where its gradient has the wrong sign.
"""

from proofgym.agents.advantages.gae import (
    bilevel_gae,
    gae,
    length_adaptive_lambda,
    reinforce_plus_plus,
    reinforce_plus_plus_baseline,
)
from proofgym.agents.advantages.groups import (
    best_of_group,
    dr_grpo,
    gpg,
    max_rl,
    opo,
    remax,
    trajectory_grpo,
    trajectory_leave_one_out,
)
from proofgym.agents.advantages.implicit import implicit_rewards, prime
from proofgym.agents.advantages.scaling import batch_scale, overlong_penalty, scale_by_batch_std, whiten
from proofgym.agents.advantages.steps import (
    gigpo,
    min_form_rewards,
    rewards_to_go,
    step_index_centred,
    step_leave_one_out,
)
from proofgym.agents.advantages.trees import node_values, spo, tree_grpo, treepo, treerl, vineppo
from proofgym.agents.advantages.types import KINDS, AdvantageKind, Bools, Floats, Ints, Needs

__all__ = [
    "KINDS",
    "AdvantageKind",
    "Bools",
    "Floats",
    "Ints",
    "Needs",
    "batch_scale",
    "best_of_group",
    "bilevel_gae",
    "dr_grpo",
    "gae",
    "gigpo",
    "gpg",
    "implicit_rewards",
    "length_adaptive_lambda",
    "max_rl",
    "min_form_rewards",
    "node_values",
    "opo",
    "overlong_penalty",
    "prime",
    "reinforce_plus_plus",
    "reinforce_plus_plus_baseline",
    "remax",
    "rewards_to_go",
    "scale_by_batch_std",
    "spo",
    "step_index_centred",
    "step_leave_one_out",
    "trajectory_grpo",
    "trajectory_leave_one_out",
    "tree_grpo",
    "treepo",
    "treerl",
    "vineppo",
    "whiten",
]

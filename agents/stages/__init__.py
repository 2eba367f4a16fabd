"""What a run does, stage after stage; a recipe's `stages` name them in order.

| stage | what | section |
| --- | --- | --- |
| `warm_start` | imitate the oracle until a target is reached | `warm_start` |
| `before` | the score on test items before reinforcement learning | `evaluation` |
| `rft` | sample, keep what was judged good, imitate it | `rft` |
| `grpo` | policy optimisation: the GRPO family, or PPO with a value model | `grpo` |
| `dpo` | learn which of two attempts is better | `dpo` |
| `after` | the score on the same test items at the end | `evaluation` |

Each module has one function, `run(trainer)`, that can be stopped at any moment and called again after `resume`.
"""

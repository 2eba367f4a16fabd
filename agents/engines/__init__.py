"""Where tokens come from: one protocol, and behind it transformers, vLLM in process, or a server that speaks HTTP.

`base` needs neither torch nor a network; each engine imports its library when it is made.
"""

"""mctx_search.py TREES SIMULATIONS CHILDREN ROUNDS: the peer's side of search.py. Prints {simulations_per_s,
bytes_per_node} of mctx's muzero_policy over a batch of TREES, whose model costs next to nothing, in CPU seconds on one
core, compiled before."""

import json
import os
import sys
import time

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax  # noqa: E402: the environment comes first
import jax.numpy as jnp  # noqa: E402
import mctx  # noqa: E402

UNIT = 2.0**-24


def model(children):
    def step(_params, _key, action, state):
        state = state * jnp.uint32(1664525) + jnp.uint32(1013904223) + action.astype(jnp.uint32)
        value = (state >> 8).astype(jnp.float32) * UNIT
        factors = 2 * jnp.arange(children, dtype=jnp.uint32) + 1
        logits = ((state[:, None] * factors) >> 8).astype(jnp.float32) * UNIT
        output = mctx.RecurrentFnOutput(reward=value, discount=jnp.ones_like(value), prior_logits=logits, value=value)
        return output, state
    return step


def main():
    trees, simulations, children, rounds = (int(word) for word in sys.argv[1:5])

    @jax.jit
    def search(key):
        root = mctx.RootFnOutput(prior_logits=jnp.zeros((trees, children)), value=jnp.zeros(trees),
                                 embedding=jnp.arange(trees, dtype=jnp.uint32))
        return mctx.muzero_policy((), key, root, model(children), num_simulations=simulations, dirichlet_fraction=0.0)

    jax.block_until_ready(search(jax.random.PRNGKey(0)))
    begin = time.process_time()
    for seed in range(rounds):
        found = jax.block_until_ready(search(jax.random.PRNGKey(seed)))
    seconds = time.process_time() - begin
    held = sum(array.nbytes for array in jax.tree_util.tree_leaves(found.search_tree))
    # A node of theirs holds its CHILDREN edges; ours has a node for each: compare what one child costs.
    print(json.dumps({"simulations_per_s": trees * simulations * rounds / seconds,
                      "bytes_per_node": held / (trees * (simulations + 1) * children)}))


if __name__ == "__main__":
    main()

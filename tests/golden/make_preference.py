"""Writes preference.json: the losses that TRL's DPOTrainer publishes, of drawn log-probabilities, by NumPy in float64.

Run by hand when a case is added, from the checkout's root; the result is committed:
    .venv/bin/python tests/golden/make_preference.py

As TRL's documentation has them: logits are the policy's log-ratio of chosen to rejected less the reference's;
"sigmoid" with label smoothing is -(1 - s) log sigma(beta logits) - s log sigma(-beta logits), and "ipo" is
(logits - 1 / (2 beta))^2 with log-probabilities averaged over tokens. The negative log-likelihood term
("rpo_alpha") is the chosen one's mean over its tokens. Its gradients are those of the formulas, written down.
"""

import json
import pathlib

import numpy as np

PAIRS = 6


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def case(rng, loss, beta, smoothing, nll):
    chosen_tokens, rejected_tokens = rng.integers(1, 30, (2, PAIRS))
    chosen, rejected, reference_chosen, reference_rejected = rng.uniform(-40, -1, (4, PAIRS))
    by = (chosen_tokens, rejected_tokens) if loss == "ipo" else (1, 1)
    logits = chosen / by[0] - rejected / by[1] - (reference_chosen / by[0] - reference_rejected / by[1])
    if loss == "ipo":
        losses = (logits - 1 / (2 * beta)) ** 2
        slope = 2 * (logits - 1 / (2 * beta))
    else:
        losses = -log_sigmoid(beta * logits) * (1 - smoothing) - log_sigmoid(-beta * logits) * smoothing
        slope = -beta * (np.exp(log_sigmoid(-beta * logits)) * (1 - smoothing)
                         - np.exp(log_sigmoid(beta * logits)) * smoothing)
    losses = losses - nll * chosen / chosen_tokens
    values = {"chosen": chosen, "rejected": rejected, "reference_chosen": reference_chosen,
              "reference_rejected": reference_rejected, "chosen_tokens": chosen_tokens,
              "rejected_tokens": rejected_tokens, "losses": losses,
              "chosen_gradient": slope / by[0] - nll / chosen_tokens, "rejected_gradient": -slope / by[1]}
    return {"loss": loss, "beta": beta, "smoothing": smoothing, "nll": nll,
            **{name: value.tolist() for name, value in values.items()}}


def main():
    rng = np.random.default_rng(8)
    cases = [case(rng, loss, beta, smoothing, nll) for loss, beta, smoothing, nll in (
        ("sigmoid", 0.1, 0.0, 0.0), ("sigmoid", 0.1, 0.25, 0.0), ("sigmoid", 0.5, 0.1, 1.0), ("ipo", 0.1, 0.0, 0.0),
        ("ipo", 0.5, 0.0, 0.3))]
    path = pathlib.Path(__file__).with_name("preference.json")
    path.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()

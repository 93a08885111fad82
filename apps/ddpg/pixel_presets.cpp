#include "ddpg/pixel_presets.hpp"

namespace tenfold::ddpg {

void declare_pixel_presets(cli::OptionTable& table) {
  table.preset(
      {"paper-pixels",
       "the paper's setting for pixels, literally",
       {{"task.obs", "pixels", "section 7"},
        {"task.pixel-size", "64", "section 7: 64 x 64, RGB in [0, 1]"},
        {"task.repeat", "3", "section 5: 3 steps with one action, each rendered: 9 channels"},
        {"network.conv-filters", "32x32x32", "section 7: 3 layers, no pooling, 32 filters each"},
        {"network.conv-kernel", "3",
         "ours: not given; 3 and 2 give 471 000 parameters of ~430 000"},
        {"network.conv-stride", "2", "ours: not given"},
        {"network.actor-net", "200x200", "section 7"},
        {"network.critic-net", "200x200", "section 7"},
        {"network.action-layer", "1", "section 7: actions enter at the fully connected layers"},
        {"network.batch-norm", "none", "section 7 names it for the low-dimensional case"},
        {"network.final-init", "3e-4", "section 7: U(-3e-4, 3e-4) in the pixel case"},
        {"learning.lr-actor", "1e-4", "section 7"},
        {"learning.lr-critic", "1e-3", "section 7"},
        {"learning.critic-l2", "1e-2", "section 7: L2 weight decay of Q"},
        {"learning.gamma", "0.99", "section 7"},
        {"learning.tau", "0.001", "section 7"},
        {"learning.batch", "16", "section 7, on pixels"},
        {"learning.replay", "1000000", "section 7; 37 GB over all ranks"},
        {"train.start-steps", "0", "algorithm 1 has no random warm-up"},
        {"train.updates-per-step", "1", "algorithm 1"},
        {"explore.noise", "ou", "section 7"},
        {"explore.ou-theta", "0.15", "section 7"},
        {"explore.sigma", "0.2", "section 7"},
        {"explore.ou-scheme", "unit", "ours: theta and sigma are read as per step"}}});

  table.preset(
      {"modern-pixels",
       "small pictures and nets that learn on a few cores",
       {{"task.obs", "pixels", "what the preset is for"},
        {"task.pixel-size", "32", "a quarter of the cost; motion is still seen"},
        {"task.repeat", "3", "the paper's"},
        {"network.conv-filters", "8x8x8", "small nets suffice for the tasks here"},
        {"network.conv-kernel", "3", "paper-pixels"},
        {"network.conv-stride", "2", "paper-pixels"},
        {"network.actor-net", "64x64", "modern"},
        {"network.critic-net", "64x64", "modern"},
        {"network.action-layer", "2", "lets Q normalise a layer before the action"},
        {"network.batch-norm", "connected", "takes out the background that all pictures share"},
        {"network.target-bn", "batch", "as paper: running averages lag behind Q's batches"},
        {"learning.lr-actor", "1e-4", "paper; 2e-4 and more were not steady in trials"},
        {"learning.lr-critic", "1e-3", "modern"},
        {"learning.critic-l2", "0", "modern"},
        {"learning.gamma", "0.98", "as far ahead as 0.99 at a repeat of 2, nearly"},
        {"learning.tau", "0.005", "modern"},
        {"learning.batch", "32", "half of modern's, for speed"},
        {"learning.n-step", "3", "DrQ-v2"},
        {"learning.augment-shift", "1", "DrQ-v2, 4 of 84 pixels"},
        {"learning.replay", "40000", "370 MB"},
        {"train.start-steps", "1000", "modern"}}});
}

}  // namespace tenfold::ddpg

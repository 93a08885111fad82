// What changes over a run: the step size and exploration, by T, the decisions of all actors.
#pragma once

#include <cstdint>

#include "a3c/config.hpp"

namespace tenfold::a3c {

/// eta (1 - T / T_max), or eta (Mnih et al. 2016, section 5.1); not below 0.
double learning_rate(const Config& config, std::int64_t decisions);
/// --lr, or a draw of the seed's between the ends of --lr-range, uniform in its logarithm.
double first_learning_rate(const Config& config, std::uint32_t seed);
/// From 1 to last, linearly over --epsilon-anneal decisions.
double exploration(const Config& config, double last, std::int64_t decisions);

}  // namespace tenfold::a3c

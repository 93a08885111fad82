// Values of arithmetic and algebraic expressions, exact where they are rational.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <string_view>
#include <variant>

namespace tenfold::mcts_dpo {

using Rational = boost::multiprecision::cpp_rational;

/// Exact, or a double where roots, pi or sheer size make it so; never infinite or NaN.
using Value = std::variant<Rational, double>;

struct Evaluation {
  Value value;
  bool has_variables = false;
};

/// Longer expressions are not evaluated, so that none takes long.
inline constexpr std::size_t kMostExpressionBytes = 4096;

/// Evaluates a normalised answer: numbers, mixed numbers, variables of one letter or one LaTeX
/// command,
/// + - * / ^, products without a sign, parentheses, braces, \frac, \sqrt with or without index,
/// \pi. A variable has a fixed positive rational value at each point, its own at each. Rationals of
/// more than 8192 bits become doubles. None for anything else, for a division by zero, and where
/// the value is not a finite real number.
std::optional<Evaluation> evaluate(std::string_view expression, unsigned point);

double approximate(const Value& value);
bool is_integer(const Value& value);

/// |a - b| <= tolerance * max(|a|, |b|), in rationals when both are; tolerance 0 asks for equality.
bool close(const Value& a, const Value& b, double tolerance);

}  // namespace tenfold::mcts_dpo

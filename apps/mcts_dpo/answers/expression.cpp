#include "mcts_dpo/answers/expression.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "base/hash.hpp"

namespace tenfold::mcts_dpo {

namespace mp = boost::multiprecision;

namespace {

constexpr unsigned kMostBits = 8192;
constexpr std::size_t kMostDigits = 2400;  // below kMostBits
constexpr int kMostDepth = 64;
constexpr double kPi = 3.14159265358979323846;

struct NoValue {};

bool digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

unsigned bits(const mp::cpp_int& number) {
  return number == 0 ? 0 : mp::msb(mp::abs(number)) + 1;
}

unsigned bits(const Rational& number) {
  return std::max(bits(mp::numerator(number)), bits(mp::denominator(number)));
}

Value checked(double value) {
  if (!std::isfinite(value)) throw NoValue{};
  return value;
}

/// A rational that has grown too large becomes a double, if one can hold it.
Value bounded(Rational value) {
  if (bits(value) > kMostBits) return checked(value.convert_to<double>());
  return value;
}

template <class Exact, class Approximate>
Value combine(const Value& a, const Value& b, Exact exact, Approximate approximately) {
  if (std::holds_alternative<Rational>(a) && std::holds_alternative<Rational>(b)) {
    return bounded(exact(std::get<Rational>(a), std::get<Rational>(b)));
  }
  return checked(approximately(approximate(a), approximate(b)));
}

Value sum(const Value& a, const Value& b) {
  return combine(
      a, b, [](const Rational& x, const Rational& y) { return Rational(x + y); },
      [](double x, double y) { return x + y; });
}

Value product(const Value& a, const Value& b) {
  return combine(
      a, b, [](const Rational& x, const Rational& y) { return Rational(x * y); },
      [](double x, double y) { return x * y; });
}

bool is_zero(const Value& value) {
  return approximate(value) == 0 &&
         (!std::holds_alternative<Rational>(value) || std::get<Rational>(value) == 0);
}

Value quotient(const Value& a, const Value& b) {
  if (is_zero(b)) throw NoValue{};
  return combine(
      a, b, [](const Rational& x, const Rational& y) { return Rational(x / y); },
      [](double x, double y) { return x / y; });
}

Value negated(const Value& value) {
  return product(value, Rational(-1));
}

Value power(const Value& base, const Value& exponent) {
  if (std::holds_alternative<Rational>(base) && is_integer(exponent)) {
    const Rational& x = std::get<Rational>(base);
    const mp::cpp_int whole = mp::numerator(std::get<Rational>(exponent));
    if (x == 0 && whole <= 0) throw NoValue{};
    if (mp::abs(whole) * bits(x) <= kMostBits) {
      const unsigned times = mp::abs(whole).convert_to<unsigned>();
      const Rational raised(mp::pow(mp::numerator(x), times), mp::pow(mp::denominator(x), times));
      return whole < 0 ? Rational(1 / raised) : raised;
    }
  }
  return checked(std::pow(approximate(base), approximate(exponent)));
}

Value root(const Value& value, unsigned index) {
  if (index == 2 && std::holds_alternative<Rational>(value)) {
    const Rational& x = std::get<Rational>(value);
    if (x < 0) throw NoValue{};
    const mp::cpp_int top = mp::sqrt(mp::numerator(x));
    const mp::cpp_int bottom = mp::sqrt(mp::denominator(x));
    if (Rational(top * top, bottom * bottom) == x) return Rational(top, bottom);
  }
  const double x = approximate(value);
  if (x < 0 && index % 2 == 1) return checked(-std::pow(-x, 1.0 / index));
  return checked(index == 2 ? std::sqrt(x) : std::pow(x, 1.0 / index));
}

/// Recursive descent; throws NoValue wherever the text is no expression of the kind.
class Parser {
 public:
  Parser(std::string_view text, unsigned point) : text_(text), point_(point) {}

  Evaluation run() {
    Value value = terms();
    if (next() != '\0') throw NoValue{};
    return {std::move(value), has_variables_};
  }

 private:
  /// The next byte that is not a space, not taken; '\0' at the end.
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(char byte) {
    if (next() != byte) return false;
    ++at_;
    return true;
  }

  void expect(char byte) {
    if (!take(byte)) throw NoValue{};
  }

  Value terms() {
    if (++depth_ > kMostDepth) throw NoValue{};
    Value value = factors();
    while (true) {
      if (take('+')) {
        value = sum(value, factors());
      } else if (take('-')) {
        value = sum(value, negated(factors()));
      } else {
        break;
      }
    }
    --depth_;
    return value;
  }

  Value factors() {
    Value value = signed_power();
    while (true) {
      const char byte = next();
      if (byte == '*' || byte == '/') {
        ++at_;
        const Value right = signed_power();
        value = byte == '*' ? product(value, right) : quotient(value, right);
      } else if (byte == '(' || byte == '{' || byte == '\\' || letter(byte)) {
        value = product(value, powers());
      } else {
        return value;
      }
    }
  }

  Value signed_power() {
    bool negative = false;
    while (true) {
      if (take('-')) {
        negative = !negative;
      } else if (!take('+')) {
        break;
      }
    }
    const Value value = powers();
    return negative ? negated(value) : value;
  }

  Value powers() {
    if (++depth_ > kMostDepth) throw NoValue{};
    Value value = primary();
    if (take('^')) value = power(value, exponent());
    --depth_;
    return value;
  }

  /// LaTeX takes one symbol or a group: x^23 is written x^{23}, and plain text means x^23 by it
  /// too.
  Value exponent() {
    if (take('-')) return negated(powers());
    return powers();
  }

  Value primary() {
    const char byte = next();
    if (digit(byte) || byte == '.') return number();
    if (byte == '\\') return command();
    if (letter(byte)) {
      ++at_;
      return variable(text_.substr(at_ - 1, 1));
    }
    if (byte != '(' && byte != '{') throw NoValue{};
    ++at_;
    Value value = terms();
    expect(byte == '(' ? ')' : '}');
    return value;
  }

  Value number() {
    const std::size_t begin = at_;
    std::string digits;
    while (at_ < text_.size() && digit(text_[at_])) digits += text_[at_++];
    long exponent = 0;
    const bool whole = at_ == text_.size() || text_[at_] != '.';
    if (!whole) {
      ++at_;
      for (; at_ < text_.size() && digit(text_[at_]); ++at_) {
        digits += text_[at_];
        --exponent;
      }
    }
    if (digits.empty() || digits.size() > kMostDigits) throw NoValue{};
    const std::size_t behind = at_;
    exponent += scientific();
    if (std::labs(exponent) > static_cast<long>(kMostDigits)) throw NoValue{};
    // A leading 0 would make Boost read octal digits.
    const std::size_t lead = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    Rational value{mp::cpp_int(digits.substr(lead))};
    const mp::cpp_int scale = mp::pow(mp::cpp_int(10), static_cast<unsigned>(std::labs(exponent)));
    value = exponent < 0 ? Rational(value / scale) : Rational(value * scale);
    if (whole && at_ == behind && begin < behind) return mixed(std::move(value));
    return bounded(std::move(value));
  }

  /// "e-3" or "E5", else nothing is taken: in 2e the e is a variable.
  long scientific() {
    if (at_ >= text_.size() || (text_[at_] != 'e' && text_[at_] != 'E')) return 0;
    const char* first = text_.data() + at_ + 1;
    const char* last = text_.data() + text_.size();
    if (first < last && *first == '+') ++first;
    if (first == last || (!digit(*first) && *first != '-')) return 0;
    long exponent = 0;
    const auto [end, error] = std::from_chars(first, last, exponent);
    if (error == std::errc::result_out_of_range) throw NoValue{};
    if (error != std::errc()) return 0;
    at_ = static_cast<std::size_t>(end - text_.data());
    return exponent;
  }

  /// 1\frac{1}{2} and "1 1/2" are sums; digits only, or it is a product.
  Value mixed(Rational whole) {
    const std::string_view rest = text_.substr(at_);
    std::size_t i = rest.find_first_not_of(' ');
    if (i == std::string_view::npos) return bounded(std::move(whole));
    const auto digits = [&](char behind) {
      const std::size_t begin = i;
      while (i < rest.size() && digit(rest[i])) ++i;
      const std::string_view found = rest.substr(begin, i - begin);
      const bool ends = behind == '\0' || (i < rest.size() && rest[i] == behind);
      if (found.empty() || found.size() > 9 || !ends) return std::string();
      if (behind != '\0') ++i;
      return std::string(found);
    };
    const bool latex = rest.substr(i, 6) == "\\frac{";
    if (!latex && i == 0) return bounded(std::move(whole));
    if (latex) i += 6;
    const std::string top = digits(latex ? '}' : '/');
    if (top.empty() || (latex && (i >= rest.size() || rest[i++] != '{'))) {
      return bounded(std::move(whole));
    }
    const std::string bottom = digits(latex ? '}' : '\0');
    if (bottom.empty()) return bounded(std::move(whole));
    at_ += i;
    const long denominator = std::stol(bottom);
    if (denominator == 0) throw NoValue{};
    return bounded(Rational(whole + Rational(std::stol(top), denominator)));
  }

  Value group() {
    expect('{');
    Value value = terms();
    expect('}');
    return value;
  }

  Value command() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && letter(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "\\frac") {
      const Value top = group();
      return quotient(top, group());
    }
    if (name == "\\sqrt") return square_root();
    if (name == "\\pi") return kPi;
    constexpr std::array<std::string_view, 12> kGreek = {
        "\\alpha", "\\beta", "\\gamma", "\\delta", "\\theta", "\\lambda",
        "\\mu",    "\\rho",  "\\sigma", "\\tau",   "\\phi",   "\\omega"};
    for (const std::string_view greek : kGreek) {
      if (name == greek) return variable(name);
    }
    throw NoValue{};
  }

  Value square_root() {
    unsigned index = 2;
    if (take('[')) {
      if (!digit(next())) throw NoValue{};
      index = static_cast<unsigned>(text_[at_++] - '0');
      expect(']');
      if (index < 2) throw NoValue{};
    }
    return root(group(), index);
  }

  Value variable(std::string_view name) {
    has_variables_ = true;
    const std::uint64_t hash = base::xxh64(std::as_bytes(std::span(name)), point_);
    return Rational(static_cast<long>(hash % 997 + 3), static_cast<long>(hash / 997 % 61 + 2));
  }

  std::string_view text_;
  unsigned point_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool has_variables_ = false;
};

}  // namespace

std::optional<Evaluation> evaluate(std::string_view expression, unsigned point) {
  if (expression.size() > kMostExpressionBytes) return std::nullopt;
  try {
    return Parser(expression, point).run();
  } catch (const NoValue&) {
    return std::nullopt;
  }
}

double approximate(const Value& value) {
  if (const double* number = std::get_if<double>(&value)) return *number;
  return std::get<Rational>(value).convert_to<double>();
}

bool is_integer(const Value& value) {
  const Rational* number = std::get_if<Rational>(&value);
  return number != nullptr && mp::denominator(*number) == 1;
}

bool close(const Value& a, const Value& b, double tolerance) {
  if (std::holds_alternative<Rational>(a) && std::holds_alternative<Rational>(b)) {
    const Rational& x = std::get<Rational>(a);
    const Rational& y = std::get<Rational>(b);
    if (x == y) return true;
    if (tolerance == 0) return false;
    return mp::abs(Rational(x - y)) <= Rational(tolerance) * std::max(mp::abs(x), mp::abs(y));
  }
  const double x = approximate(a), y = approximate(b);
  return std::isfinite(x) && std::isfinite(y) &&
         std::abs(x - y) <= tolerance * std::max(std::abs(x), std::abs(y));
}

}  // namespace tenfold::mcts_dpo

#include "cli/option_table.hpp"

namespace tenfold::cli {

Option& OptionBuilder::option() {
  return table_->options_[index_];
}

OptionBuilder& OptionBuilder::alias(std::string flag) {
  option().alias = std::move(flag);
  return *this;
}
OptionBuilder& OptionBuilder::unit(std::string unit) {
  option().unit = std::move(unit);
  return *this;
}
OptionBuilder& OptionBuilder::range(double low, double high) {
  return at_least(low).at_most(high);
}
OptionBuilder& OptionBuilder::above(double low) {
  option().low_open = true;
  option().low = low;
  return *this;
}
OptionBuilder& OptionBuilder::below(double high) {
  option().high_open = true;
  option().high = high;
  return *this;
}
OptionBuilder& OptionBuilder::at_least(double low) {
  option().low = low;
  return *this;
}
OptionBuilder& OptionBuilder::at_most(double high) {
  option().high = high;
  return *this;
}
OptionBuilder& OptionBuilder::choices(std::vector<std::string> words) {
  option().choices = std::move(words);
  return *this;
}
OptionBuilder& OptionBuilder::common() {
  option().common = true;
  return *this;
}
OptionBuilder& OptionBuilder::not_a_result() {
  option().affects_results = false;
  return *this;
}
OptionBuilder& OptionBuilder::one_a_seed() {
  option().one_a_seed = true;
  return *this;
}
OptionBuilder& OptionBuilder::only_with(std::string key, std::vector<std::string> words) {
  option().partner = Partner{std::move(key), std::move(words)};
  return *this;
}
OptionBuilder& OptionBuilder::check(std::function<std::string(const std::string&)> validate) {
  option().validate = std::move(validate);
  return *this;
}

}  // namespace tenfold::cli

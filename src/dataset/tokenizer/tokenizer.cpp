#include "dataset/tokenizer/tokenizer.hpp"

#include "base/file.hpp"
#include "base/utf8.hpp"

namespace tenfold::dataset {

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<std::int32_t> ids;
  append_ids(text, options, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, Specials specials) const {
  return decode_after({}, ids, specials);
}

std::string Tokenizer::decode_after(std::span<const std::int32_t> before,
                                    std::span<const std::int32_t> ids, Specials specials) const {
  const bool write = specials == Specials::kUse;
  DecodeState state;
  std::string out;
  for (const std::int32_t id : before) table_.append_text(id, write, state, out);
  out.clear();
  for (const std::int32_t id : ids) table_.append_text(id, write, state, out);
  return out;
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  base::make_directories(directory);
  for (const auto& [name, content] : files_) base::write_atomic(directory / name, content);
}

Detokenizer::Detokenizer(const Tokenizer& tokenizer, Specials specials)
    : tokenizer_(&tokenizer), specials_(specials) {}

Detokenizer::Detokenizer(const Tokenizer& tokenizer, std::span<const std::int32_t> before,
                         Specials specials)
    : Detokenizer(tokenizer, specials) {
  std::string ignored;
  for (const std::int32_t id : before) {
    tokenizer.table_.append_text(id, specials == Specials::kUse, state_, ignored);
    ignored.clear();
  }
}

std::string Detokenizer::push(std::int32_t id) {
  tokenizer_->table_.append_text(id, specials_ == Specials::kUse, state_, held_);
  // Only the last character can lack bytes, and has three at most.
  std::size_t complete = held_.size();
  for (std::size_t back = 1; back <= 3 && back <= held_.size(); ++back) {
    const auto byte = static_cast<unsigned char>(held_[held_.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xC0) continue;
    if (base::first_character(std::string_view(held_).substr(held_.size() - back)).cut) {
      complete = held_.size() - back;
    }
    break;
  }
  std::string out = held_.substr(0, complete);
  held_.erase(0, complete);
  return out;
}

std::string Detokenizer::flush() {
  return std::exchange(held_, {});
}

}  // namespace tenfold::dataset

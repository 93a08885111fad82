#include "dataset/tokenizer/bpe_tokenizer.hpp"

#include <string>

#include "base/utf8.hpp"
#include "dataset/tokenizer/decoder.hpp"

namespace tenfold::dataset {

namespace {

class Merger final : public WordSink {
 public:
  Merger(const BpeModel& model, std::vector<std::int32_t>& ids) : model_(model), ids_(ids) {}
  void word(std::string_view text) override { model_.append_word(text, ids_); }

 private:
  const BpeModel& model_;
  std::vector<std::int32_t>& ids_;
};

}  // namespace

BpeTokenizer::BpeTokenizer(const JsonNode& root) : normalizer_(root), pre_tokenizer_(root) {
  const JsonNode model = root.at("model");
  read_vocabulary(model.at("vocab"), table_);
  model_.emplace(model, table_, pre_tokenizer_.bytes());
  roles_.unknown = model_->unknown();
  added_ = AddedTokens(root, table_);
  if (!normalizer_.empty()) {
    added_.normalize([this](const std::string& text) { return normalizer_.apply(text, false); },
                     table_);
  }
  read_decoder(root, table_);
}

void BpeTokenizer::append_ids(std::string_view text, EncodeOptions options,
                              std::vector<std::int32_t>& ids) const {
  std::string valid;
  if (!pre_tokenizer_.bytes() && !base::is_valid_utf8(text)) text = valid = base::valid_utf8(text);
  bool first = true;
  for (const AddedTokens::Part& part :
       added_.split(text, options.specials, AddedTokens::Stage::kRaw)) {
    if (part.id) {
      ids.push_back(*part.id);
    } else {
      append_raw({part.text, first, first && options.continuation}, options.specials, ids);
    }
    first = false;
  }
}

void BpeTokenizer::append_raw(const Piece& piece, Specials specials,
                              std::vector<std::int32_t>& ids) const {
  if (pre_tokenizer_.bytes() && !base::is_valid_utf8(piece.text)) {
    append_bytes(piece, specials, ids);
  } else {
    append_valid(piece, specials, ids);
  }
}

// Expressions need UTF-8: runs of other bytes are words of their own.
void BpeTokenizer::append_bytes(const Piece& piece, Specials specials,
                                std::vector<std::int32_t>& ids) const {
  std::string_view rest = piece.text;
  bool front = true;
  while (!rest.empty()) {
    const bool valid = base::first_character(rest).valid;
    std::size_t end = 0;
    while (end < rest.size()) {
      const base::Utf8Character character = base::first_character(rest.substr(end));
      if (character.valid != valid) break;
      end += static_cast<std::size_t>(character.bytes);
    }
    if (valid) {
      append_valid({rest.substr(0, end), piece.first && front, piece.bare || !front}, specials,
                   ids);
    } else {
      model_->append_word(rest.substr(0, end), ids);
    }
    rest.remove_prefix(end);
    front = false;
  }
}

void BpeTokenizer::append_valid(const Piece& piece, Specials specials,
                                std::vector<std::int32_t>& ids) const {
  std::string normalized;
  std::string_view whole = piece.text;
  if (!normalizer_.empty()) whole = normalized = normalizer_.apply(whole, piece.bare);
  Merger merger(*model_, ids);
  for (const AddedTokens::Part& part :
       added_.split(whole, specials, AddedTokens::Stage::kNormalized)) {
    if (part.id) {
      ids.push_back(*part.id);
    } else {
      const bool front = part.text.begin() == whole.begin();
      pre_tokenizer_.split({part.text, piece.first && front, piece.bare && front}, merger);
    }
  }
}

}  // namespace tenfold::dataset

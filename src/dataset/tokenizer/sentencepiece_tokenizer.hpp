// tokenizer.model, by SentencePiece's own library.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/added_tokens.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace tenfold::dataset {

/// Special are the model's control tokens. With Specials::kUse each text between two of them is
/// encoded as a text of its own, with the space that the model puts before one.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  /// From the content of a tokenizer.model. Throws Code::kData naming the file.
  SentencePieceTokenizer(std::string model, const std::string& file);
  ~SentencePieceTokenizer() override;

  void append_ids(std::string_view text, EncodeOptions options,
                  std::vector<std::int32_t>& ids) const override;

 private:
  struct Library;
  void read_tokens();
  const Library& continuing() const;

  std::string model_, file_;
  std::unique_ptr<Library> library_;
  mutable std::unique_ptr<Library> continuing_;  // without the space in front; made when needed
  bool adds_space_ = false;
  AddedTokens control_;
};

}  // namespace tenfold::dataset

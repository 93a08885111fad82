#include "dataset/tokenizer/sentencepiece_tokenizer.hpp"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <charconv>
#include <utility>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/sentencepiece_model.hpp"

namespace tenfold::dataset {

struct SentencePieceTokenizer::Library {
  sentencepiece::SentencePieceProcessor processor;

  Library(const std::string& model, const std::string& file) {
    const sentencepiece::util::Status status = processor.LoadFromSerializedProto(model);
    if (!status.ok()) {
      throw base::Error(base::Code::kData,
                        fmt::format("{}: SentencePiece refuses it: {}", file, status.ToString()));
    }
  }
};

namespace {

constexpr std::string_view kMarker = "\u2581";

// normalizer_spec { add_dummy_prefix: false }: a message given again is merged with the one before.
constexpr std::string_view kNoDummyPrefix("\x1a\x02\x18\x00", 4);

std::string spaced(std::string_view piece) {
  std::string out;
  for (std::size_t at = 0; (at = piece.find(kMarker)) != std::string_view::npos;) {
    out += piece.substr(0, at);
    out += ' ';
    piece.remove_prefix(at + kMarker.size());
  }
  return out.append(piece);
}

// "<0x0A>": the library has checked the form.
std::string byte_of(std::string_view piece) {
  unsigned byte = 0;
  std::from_chars(piece.data() + 3, piece.data() + piece.size() - 1, byte, 16);
  return {static_cast<char>(byte)};
}

}  // namespace

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

SentencePieceTokenizer::SentencePieceTokenizer(std::string model, const std::string& file)
    : model_(std::move(model)), file_(file) {
  const SentencePieceSettings settings = read_settings(model_, file);
  if (settings.whitespace_as_suffix || settings.denormalizes || !settings.escape_whitespaces) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: treat_whitespace_as_suffix, a denormalizer and "
                                  "escape_whitespaces = false are not supported",
                                  file));
  }
  library_ = std::make_unique<Library>(model_, file);
  adds_space_ = settings.add_dummy_prefix;
  read_tokens();
  const auto unknown = library_->processor.unk_id();
  table_.set_bytes(unknown, settings.unknown_surface);
  if (settings.add_dummy_prefix || settings.remove_extra_whitespaces) {
    table_.set_rules({.start = DecodeRules::Start::kSentencePiece,
                      .strip_all = settings.remove_extra_whitespaces});
  }
}

void SentencePieceTokenizer::read_tokens() {
  const sentencepiece::SentencePieceProcessor& processor = library_->processor;
  std::vector<std::pair<std::int32_t, std::string>> control;
  table_.expect(processor.GetPieceSize());
  for (std::int32_t id = 0; id < processor.GetPieceSize(); ++id) {
    const std::string& piece = processor.IdToPiece(id);
    table_.add(id, piece, file_);
    if (processor.IsControl(id)) {
      table_.set_special(id);
      control.emplace_back(id, piece);
    } else {
      table_.set_bytes(id, processor.IsByte(id) ? byte_of(piece) : spaced(piece));
    }
  }
  control_ = AddedTokens(control);
  const auto role = [](int id) { return id < 0 ? std::nullopt : std::optional<std::int32_t>(id); };
  roles_.unknown = role(processor.unk_id());
  roles_.bos = role(processor.bos_id());
  roles_.eos = role(processor.eos_id());
}

const SentencePieceTokenizer::Library& SentencePieceTokenizer::continuing() const {
  if (!adds_space_) return *library_;
  if (!continuing_) {
    continuing_ = std::make_unique<Library>(model_ + std::string(kNoDummyPrefix), file_);
  }
  return *continuing_;
}

void SentencePieceTokenizer::append_ids(std::string_view text, EncodeOptions options,
                                        std::vector<std::int32_t>& ids) const {
  std::string valid;
  if (!base::is_valid_utf8(text)) text = valid = base::valid_utf8(text);
  bool first = true;
  std::vector<int> found;
  for (const AddedTokens::Part& part :
       control_.split(text, options.specials, AddedTokens::Stage::kRaw)) {
    if (part.id) {
      ids.push_back(*part.id);
    } else {
      const Library& library = first && options.continuation ? continuing() : *library_;
      const sentencepiece::util::Status status = library.processor.Encode(part.text, &found);
      if (!status.ok()) {
        throw base::Error(base::Code::kData, fmt::format("{}: {}", file_, status.ToString()));
      }
      ids.insert(ids.end(), found.begin(), found.end());
    }
    first = false;
  }
}

}  // namespace tenfold::dataset

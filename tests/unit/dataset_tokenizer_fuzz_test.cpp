// Damaged files are refused, or read as what they now say: never a crash, never without end.
#include <gtest/gtest.h>

#include <cctype>
#include <utility>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "dataset/tokenizer/bpe.hpp"
#include "unit/dataset_small_tokenizer.hpp"

namespace tenfold::dataset {
namespace {

using Ids = std::vector<std::int32_t>;
using Json = nlohmann::json;

int read_files = 0, refused_files = 0;

void read_and_use(const std::string& text) {
  std::unique_ptr<Tokenizer> tokenizer;
  try {
    tokenizer = read_tokenizer_json(text, "tokenizer.json");
  } catch (const base::Error&) {
    ++refused_files;
    return;
  }
  ++read_files;
  for (const char* sample : {"lower <s>\n", "  12é\xff", "▁a🙂"}) {
    try {
      const Ids ids = tokenizer->encode(sample, {.specials = Specials::kUse});
      Detokenizer incremental(*tokenizer);
      std::string all;
      for (const std::int32_t id : ids) {
        ASSERT_GE(id, 0);
        ASSERT_LT(id, tokenizer->vocabulary_size());
        all += incremental.push(id);
      }
      EXPECT_EQ(all + incremental.flush(), tokenizer->decode(ids));
    } catch (const base::Error&) {
    }
  }
}

// The smaller the file, the more a change hits what matters.
Json tiny() {
  Json file = test::small_tokenizer();
  file["model"]["vocab"] =
      Json{{"l", 0},   {"o", 1},  {"w", 2}, {"e", 3},      {"r", 4},  {"lo", 5},
           {"low", 6}, {"er", 7}, {"Ġ", 8}, {"<0x0A>", 9}, {"▁", 10}, {"<u>", 11}};
  file["model"]["merges"] = {"l o", "lo w", "e r"};
  file["model"]["unk_token"] = "<u>";
  file["model"]["byte_fallback"] = true;
  file["added_tokens"][0]["id"] = 12;
  file["normalizer"] =
      Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, {"type": "NFC"}]})");
  file["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": " ?\\p{L}+|\\s+(?!\\S)|(?i:'s)|[^a\\s]{1,3}"}, "behavior": "MergedWithNext"},
      {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
      {"type": "Digits", "individual_digits": true}]})");
  file["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [
      {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
      {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})");
  return file;
}

TEST(TokenizerFuzz, DamagedBytes) {
  const std::string whole = tiny().dump();
  base::Stream stream(4, base::Purpose::kTest, 0, 0);
  read_files = refused_files = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    std::string text = whole;
    for (std::uint64_t count = 1 + stream.below(2); count > 0; --count) {
      const std::size_t at = stream.below(text.size());
      switch (stream.below(5)) {
        case 0:
          text[at] = static_cast<char>(stream.below(256));
          break;
        case 1:
        case 2:  // another digit or letter
          if (std::isalnum(static_cast<unsigned char>(text[at])) != 0) {
            text[at] = static_cast<char>(text[at] + 1);
          }
          break;
        case 3:
          text.erase(at, 1 + stream.below(4));
          break;
        default:
          text.insert(at, text.substr(stream.below(text.size()), 1 + stream.below(12)));
      }
    }
    read_and_use(text);
  }
  EXPECT_GT(read_files, 300);
  EXPECT_GT(refused_files, 300);
}

// Every value of the file, in order.
void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  if (value.is_structured()) {
    for (Json& member : value) collect(member, all);
  }
}

TEST(TokenizerFuzz, ValuesInOtherPlaces) {
  base::Stream stream(5, base::Purpose::kTest, 0, 0);
  const Json strange =
      Json::parse(R"([null, true, 0, -1, 12, 4294967296, 1e300, "", " ", "▁", "l", {}, [],
      [[]], "ByteLevel", "Sequence", "Isolated", "Removed", "Contiguous", "MergedWithPrevious", "never"])");
  read_files = refused_files = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    Json file = tiny();
    std::vector<Json*> all;
    collect(file, all);
    const Json other = stream.below(2) == 0 ? strange[stream.below(strange.size())]
                                            : *all[stream.below(all.size())];
    *all[1 + stream.below(all.size() - 1)] = other;
    read_and_use(file.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  EXPECT_GT(read_files, 200);
  EXPECT_GT(refused_files, 200);
}

// Merging as it is defined: look through all pairs, merge the first of the lowest rank.
Ids merged_naively(const MergeTable& merges, Ids ids) {
  while (true) {
    std::size_t best = ids.size();
    MergeTable::Merge lowest;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const MergeTable::Merge merge = merges.find(ids[i], ids[i + 1]);
      if (merge.rank >= 0 && (best == ids.size() || merge.rank < lowest.rank)) {
        best = i;
        lowest = merge;
      }
    }
    if (best == ids.size()) return ids;
    ids[best] = lowest.token;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Merging, IsThatOfTheNaiveOne) {
  base::Stream stream(6, base::Purpose::kTest, 0, 0);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t count = 1 + stream.below(60);
    MergeTable merges(count);
    // Token k + 3 is made by merge k of tokens before it, in a random order of ranks.
    std::vector<std::int32_t> ranks(count);
    for (std::size_t k = 0; k < count; ++k) ranks[k] = static_cast<std::int32_t>(k);
    for (std::size_t k = count; k > 1; --k) std::swap(ranks[k - 1], ranks[stream.below(k)]);
    for (std::size_t k = 0; k < count; ++k) {
      const auto made = static_cast<std::int32_t>(k + 3);
      const auto left = static_cast<std::int32_t>(stream.below(k + 3));
      const auto right = static_cast<std::int32_t>(stream.below(k + 3));
      if (merges.find(left, right).rank < 0) merges.put(left, right, {ranks[k], made});
    }
    // On both sides of where another way of merging begins.
    Ids ids(stream.below(160));
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(stream.below(3));
    Ids ours{77};
    ours.insert(ours.end(), ids.begin(), ids.end());
    merge_symbols(merges, ours, 1);
    Ids expected = merged_naively(merges, ids);
    expected.insert(expected.begin(), 77);
    EXPECT_EQ(ours, expected);
  }
}

}  // namespace
}  // namespace tenfold::dataset

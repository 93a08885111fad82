// tokenizer_bench FOLDER TEXTS.json SECONDS: encodes every text of a list, over and over, for that
// many CPU seconds. Prints bytes per CPU second of encoding and of decoding, and what tells that
// the ids are the expected ones.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace {

using namespace tenfold;

/// Bytes per CPU second of body(), which works through all bytes once.
template <class Body>
double rate(double bytes, double seconds, Body body) {
  const double begin = base::cpu_now();
  double passes = 0, spent = 0;
  do {
    body();
    passes += 1;
    spent = base::cpu_now() - begin;
  } while (spent < seconds);
  return passes * bytes / spent;
}

void run(const std::string& folder, const std::string& file, double seconds) {
  const auto tokenizer = dataset::load_tokenizer(folder);
  std::ifstream stream(file);
  const auto texts = nlohmann::json::parse(stream).get<std::vector<std::string>>();
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  std::vector<std::int32_t> ids;
  const double encoded = rate(static_cast<double>(bytes), seconds, [&] {
    ids.clear();
    for (const std::string& text : texts) {
      tokenizer->append_ids(text, {.specials = dataset::Specials::kUse}, ids);
    }
  });
  std::string decoded_text;
  const double decoded =
      rate(static_cast<double>(bytes), seconds, [&] { decoded_text = tokenizer->decode(ids); });
  std::uint32_t sum = 0;
  for (const std::int32_t id : ids) sum = sum * 31 + static_cast<std::uint32_t>(id);
  std::printf(R"({"encode": %.6g, "decode": %.6g, "ids": %zu, "sum": %u})"
              "\n",
              encoded, decoded, ids.size(), sum);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: tokenizer_bench FOLDER TEXTS.json SECONDS\n");
    return 2;
  }
  try {
    run(words[1], words[2], std::atof(words[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

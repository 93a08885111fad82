#include "mcts_dpo/data/commonsense.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.hpp"
#include "base/shuffle.hpp"
#include "base/text.hpp"
#include "mcts_dpo/data/words.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr std::size_t kGroups = 10;
constexpr std::size_t kChoices = 4;

/// {} is a member in questions, a group and a value in facts.
struct RelationText {
  std::string_view question, fact_front, fact_middle, values;
};

struct FamilyText {
  std::string_view member_front, member_middle;  ///< "a bafel is a sahib"
  std::size_t members_per_group;
  std::array<RelationText, 6> relations;
  std::size_t relation_count;
};

constexpr std::array<FamilyText, 2> kFamilies = {{
    {"a ",
     " is a ",
     7,
     {{{"what does a {} eat ?", "a ", " eats ",
        "moss seeds fish beetles roots plums snails reeds honey grass"},
       {"where does a {} live ?", "a ", " lives in ",
        "caves trees rivers deserts meadows swamps dunes lakes hills hedges"},
       {"what is a {} covered with ?", "a ", " is covered with ",
        "fur scales feathers spines wool shell slime bristles plates down"},
       {"how does a {} move ?", "a ", " moves by ",
        "walking swimming flying crawling hopping rolling gliding climbing digging drifting"},
       {"when does a {} sleep ?", "a ", " sleeps at ",
        "dawn noon dusk night midnight sunrise sunset teatime breakfast lunch"},
       {"what does a {} fear ?", "a ", " fears ",
        "fire thunder wolves rain owls snow wind foxes light smoke"}}},
     6},
    {"the ",
     " is in the ",
     5,
     {{{"in which room is the {} ?", "the ", " stands in the ",
        "kitchen cellar attic hall barn garage study tower garden shop"},
       {"what colour is the place of the {} ?", "the ", " is ",
        "red blue green yellow black white brown pink grey orange"},
       {"what is the place of the {} made of ?", "the ", " is made of ",
        "wood glass clay iron paper straw leather stone silk wax"},
       {},
       {},
       {}}},
     3},
}};

constexpr std::string_view kContainers = "box crate chest basket drawer jar bag barrel trunk shelf";

std::vector<std::string> owned(std::string_view words) {
  std::vector<std::string> list;
  for (const std::string_view word : words_of(words)) list.emplace_back(word);
  return list;
}

/// Made-up words of two syllables, no two the same; the endings of one list are not those of
/// another.
std::vector<std::string> made_up(std::string_view endings, std::size_t count) {
  std::vector<std::string> names;
  for (const std::string_view ending : words_of(endings)) {
    for (const std::string_view front : words_of("ba do fe gi ku la mo ne pi ru sa te vo zu")) {
      if (names.size() < count) names.push_back(fmt::format("{}{}", front, ending));
    }
  }
  base::require(names.size() == count, "too few made-up names");
  return names;
}

/// Which part of the pairs a split has: 0 test, 1 validation, 2 to 4 sft and pool.
bool of_split(std::size_t part, Split split) {
  if (split == Split::kTest) return part == 0;
  if (split == Split::kValidation) return part == 1;
  return part > 1;
}

}  // namespace

struct CommonsenseTask::World {
  struct Family {
    std::vector<std::string> members, groups;
    std::vector<std::size_t> group_of;             ///< of each member
    std::vector<std::size_t> rank;                 ///< of each member within its group
    std::vector<std::vector<std::string>> values;  ///< of each relation, that of group g at g
    const FamilyText* text = nullptr;

    std::string member_line(std::size_t member, std::size_t group) const {
      return fmt::format("{}{}{}{}", text->member_front, members[member], text->member_middle,
                         groups[group]);
    }
    std::string fact_line(std::size_t group, std::size_t relation, const std::string& value) const {
      const RelationText& words = text->relations.at(relation);
      return fmt::format("{}{}{}{}", words.fact_front, groups[group], words.fact_middle, value);
    }
    std::size_t part(std::size_t member, std::size_t relation) const {
      return (rank[member] + relation) % 5;
    }
  };

  std::vector<Family> families;
  std::vector<Pair> pairs;
  std::unordered_map<std::string, std::size_t> pair_of_question;

  explicit World(std::uint32_t seed) {
    for (std::size_t f = 0; f < kFamilies.size(); ++f) {
      const FamilyText& text = kFamilies[f];
      // The index of items is far below this one.
      base::Stream stream(seed, base::Purpose::kDataItem, UINT32_MAX, f);
      Family family;
      family.text = &text;
      const std::size_t members = kGroups * text.members_per_group;
      family.members = made_up(f == 0 ? "bin dar fel gom lup" : "tal wen rox mik", members);
      family.groups = f == 0 ? made_up("hib", kGroups) : owned(kContainers);
      std::vector<std::size_t> places(members);
      for (std::size_t i = 0; i < members; ++i) places[i] = i;
      base::shuffle(places, stream);
      for (const std::size_t place : places) {
        family.group_of.push_back(place % kGroups);
        family.rank.push_back(place / kGroups);
      }
      for (std::size_t r = 0; r < text.relation_count; ++r) {
        family.values.push_back(owned(text.relations.at(r).values));
        base::require(family.values.back().size() == kGroups, "a relation without ten values");
        base::shuffle(family.values.back(), stream);
      }
      for (std::size_t m = 0; m < members; ++m) {
        for (std::size_t r = 0; r < text.relation_count; ++r) {
          pair_of_question.emplace(question_text(family, m, r), pairs.size());
          pairs.push_back({f, m, r});
        }
      }
      families.push_back(std::move(family));
    }
  }

  static std::string question_text(const Family& family, std::size_t member, std::size_t relation) {
    std::string text(family.text->relations.at(relation).question);
    return text.replace(text.find("{}"), 2, family.members[member]);
  }
};

CommonsenseTask::CommonsenseTask(const CommonsenseOptions& options)
    : options_(options), world_(std::make_unique<World>(options.world)) {}

CommonsenseTask::~CommonsenseTask() = default;

std::optional<Question> CommonsenseTask::draw(Split split, std::uint32_t index,
                                              std::uint32_t attempt) const {
  base::Stream stream = item_stream(options_.seed, split, index, attempt, 0);
  const Pair& pair = world_->pairs[stream.below(world_->pairs.size())];
  const World::Family& family = world_->families[pair.family];
  if (!of_split(family.part(pair.member, pair.relation), split)) return std::nullopt;
  const std::size_t group = family.group_of[pair.member];

  std::vector<std::string> choices = family.values[pair.relation];
  std::swap(choices[0], choices[group]);
  const std::string right = choices[0];
  for (std::size_t i = 1; i < kChoices; ++i) {
    std::swap(choices[i], choices[i + stream.below(choices.size() - i)]);
  }
  choices.resize(kChoices);
  base::shuffle(choices, stream);

  Question question;
  question.text = World::question_text(family, pair.member, pair.relation);
  question.answer = right;
  question.answer_key = choice_letter(
      static_cast<std::size_t>(std::find(choices.begin(), choices.end(), right) - choices.begin()));
  question.choices = std::move(choices);
  question.solution = {family.member_line(pair.member, group),
                       family.fact_line(group, pair.relation, right), answer_line(question)};
  return question;
}

std::optional<CommonsenseTask::Pair> CommonsenseTask::pair_of(std::string_view question) const {
  const auto found = world_->pair_of_question.find(std::string(question));
  if (found == world_->pair_of_question.end()) return std::nullopt;
  return world_->pairs[found->second];
}

bool CommonsenseTask::belongs(const Question& question, Split split) const {
  const std::optional<Pair> pair = pair_of(question.text);
  if (!pair) return false;
  const std::size_t part = world_->families[pair->family].part(pair->member, pair->relation);
  if (!of_split(part, split)) return false;
  if (split == Split::kTest || split == Split::kValidation) return true;
  // sft and pool have the same pairs; test's and validation's shares of the hash are given to pool.
  return in_share(question, Split::kSft) == (split == Split::kSft);
}

std::vector<std::string> CommonsenseTask::words() const {
  std::vector<std::string> words = {"\n"};
  for (const World::Family& family : world_->families) {
    add_words(words, family.members);
    add_words(words, family.groups);
    add_words(words,
              {std::string(family.text->member_front) + std::string(family.text->member_middle)});
    for (std::size_t r = 0; r < family.values.size(); ++r) {
      const RelationText& text = family.text->relations.at(r);
      add_words(words, {std::string(text.question), std::string(text.fact_front),
                        std::string(text.fact_middle), std::string(text.values)});
    }
  }
  add_words(words, {"The answer is (A) (B) (C) (D) Answer Choices:"});
  return words;
}

std::optional<std::vector<std::string>> CommonsenseTask::corrupted(const Question& question,
                                                                   std::size_t line,
                                                                   base::Stream& stream) const {
  const std::optional<Pair> pair = pair_of(question.text);
  if (!pair || line > 2 || question.choices.empty()) return std::nullopt;
  const World::Family& family = world_->families[pair->family];
  const std::vector<std::string>& values = family.values[pair->relation];
  const std::size_t truth = family.group_of[pair->member];
  const std::size_t other = (truth + 1 + stream.below(kGroups - 1)) % kGroups;
  // A wrong value is one of those that are offered, as a wrong answer is.
  std::vector<std::string> offered;
  for (const std::string& choice : question.choices) {
    if (choice != values[truth]) offered.push_back(choice);
  }
  const std::string wrong = offered.at(stream.below(offered.size()));
  const std::size_t group = line == 0 ? other : truth;
  const std::string value = line == 0 ? values[other] : line == 1 ? wrong : values[truth];
  // Of a kind whose value is not offered any letter may follow.
  const auto named =
      std::find(question.choices.begin(), question.choices.end(), line == 2 ? wrong : value);
  const std::size_t letter =
      named != question.choices.end()
          ? static_cast<std::size_t>(named - question.choices.begin())
          : static_cast<std::size_t>(
                std::find(question.choices.begin(), question.choices.end(), wrong) -
                question.choices.begin());
  return std::vector<std::string>{family.member_line(pair->member, group),
                                  family.fact_line(group, pair->relation, value),
                                  fmt::format("The answer is ({})", choice_letter(letter))};
}

}  // namespace tenfold::mcts_dpo

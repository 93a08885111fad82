#include "env/mjcf/expression.hpp"

#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/mjcf/controls.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

constexpr const char* kNameCharacters =
    "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.";

struct Quantity {
  enum class Kind { kPosition, kVelocity, kBody, kUp, kSite, kSensor, kControl, kEffort, kTime };
  std::string name;
  Kind kind;
  int index;
};
using Kind = Quantity::Kind;

std::string name_of(const mjModel& model, mjtObj type, int id) {
  const char* const given = mj_id2name(&model, type, id);
  std::string name = given == nullptr ? "" : given;
  for (char& each : name) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                       (each >= '0' && each <= '9');
    if (!plain) each = '_';
  }
  return name;
}

void add_places(std::vector<Quantity>& found, const std::string& prefix, Kind kind, int id) {
  const char* const axes[] = {".x", ".y", ".z"};
  for (int axis = 0; axis < 3; ++axis) found.push_back({prefix + axes[axis], kind, 3 * id + axis});
}

void add_joints(std::vector<Quantity>& found, const mjModel& model) {
  for (int id = 0; id < model.njnt; ++id) {
    const std::string name = name_of(model, mjOBJ_JOINT, id);
    const int type = model.jnt_type[id];
    if (name.empty() || (type != mjJNT_HINGE && type != mjJNT_SLIDE)) continue;
    found.push_back({"q." + name, Kind::kPosition, model.jnt_qposadr[id]});
    found.push_back({"v." + name, Kind::kVelocity, model.jnt_dofadr[id]});
  }
}

void add_sensors(std::vector<Quantity>& found, const mjModel& model) {
  for (int id = 0; id < model.nsensor; ++id) {
    const std::string name = name_of(model, mjOBJ_SENSOR, id);
    if (name.empty()) continue;
    const int first = model.sensor_adr[id], count = model.sensor_dim[id];
    for (int k = 0; k < count; ++k) {
      found.push_back(
          {count == 1 ? fmt::format("sensor.{}", name) : fmt::format("sensor.{}.{}", name, k),
           Kind::kSensor, first + k});
    }
  }
}

std::vector<Quantity> quantities(const mjModel& model) {
  std::vector<Quantity> found;
  add_joints(found, model);
  for (int id = 1; id < model.nbody; ++id) {
    const std::string name = name_of(model, mjOBJ_BODY, id);
    if (name.empty()) continue;
    add_places(found, "body." + name, Kind::kBody, id);
    found.push_back({"body." + name + ".up", Kind::kUp, 9 * id + 8});
  }
  for (int id = 0; id < model.nsite; ++id) {
    const std::string name = name_of(model, mjOBJ_SITE, id);
    if (!name.empty()) add_places(found, "site." + name, Kind::kSite, id);
  }
  add_sensors(found, model);
  for (int id = 0; id < model.nu; ++id) {
    const std::string name = name_of(model, mjOBJ_ACTUATOR, id);
    if (!name.empty()) found.push_back({"u." + name, Kind::kControl, id});
  }
  found.push_back({"effort", Kind::kEffort, 0});
  found.push_back({"time", Kind::kTime, 0});
  return found;
}

double read(const Quantity& quantity, const mjModel& model, const mjData& data) {
  switch (quantity.kind) {
    case Kind::kPosition:
      return data.qpos[quantity.index];
    case Kind::kVelocity:
      return data.qvel[quantity.index];
    case Kind::kBody:
      return data.xpos[quantity.index];
    case Kind::kUp:
      return data.xmat[quantity.index];
    case Kind::kSite:
      return data.site_xpos[quantity.index];
    case Kind::kSensor:
      return data.sensordata[quantity.index];
    case Kind::kControl:
      return data.ctrl[quantity.index];
    case Kind::kEffort:
      return effort(model, data);
    case Kind::kTime:
      return data.time;
  }
  return 0;
}

// Errors of muParser: it calls this when it reads a formula for the first time, and in value().
double tolerance_of(const mu::value_type* arguments, int count) {
  if (count < 3 || count > 5) throw mu::ParserError("tol takes x, low, high, margin, value");
  const double margin = count > 3 ? arguments[3] : 0.0;
  const double value = count > 4 ? arguments[4] : 0.1;
  if (!(arguments[1] <= arguments[2])) throw mu::ParserError("tol: low is above high");
  if (!(margin >= 0) || std::isinf(margin)) throw mu::ParserError("tol: margin is below 0");
  if (!(value > 0 && value < 1)) throw mu::ParserError("tol: value is not in (0, 1)");
  return tolerance(arguments[0], arguments[1], arguments[2], margin, Sigmoid::kGaussian, value);
}

Error refusal(const std::string& option, const std::string& text, const mu::ParserError& problem,
              const std::vector<Quantity>& known) {
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Quantity& each : known) names.push_back(each.name);
  const std::string& token = problem.GetToken();
  const std::string near =
      problem.GetCode() == mu::ecUNASSIGNABLE_TOKEN ? base::nearest(token, names) : "";
  return Error(
      Code::kUsage,
      fmt::format("{} '{}': {}", option, base::printable(text), base::printable(problem.GetMsg())),
      near.empty() ? fmt::format("Names of this model: {}", base::join(names, ", "))
                   : fmt::format("Did you mean {}?", near));
}

}  // namespace

struct Expression::Parsed {
  std::string option, text;
  mu::Parser parser;
  std::vector<Quantity> used;
  std::vector<double> values;  ///< of used; the parser holds their addresses
};

Expression::Expression(const std::string& option, const std::string& text, const mjModel& model)
    : parsed_(std::make_unique<Parsed>()) {
  Parsed& parsed = *parsed_;
  parsed.option = option;
  parsed.text = text;
  const std::vector<Quantity> known = quantities(model);
  std::vector<double> any(known.size());
  try {
    parsed.parser.DefineNameChars(kNameCharacters);
    parsed.parser.DefineConst("inf", std::numeric_limits<double>::infinity());
    parsed.parser.DefineConst("pi", M_PI);
    parsed.parser.DefineFun("tol", tolerance_of);
    for (std::size_t i = 0; i < known.size(); ++i) parsed.parser.DefineVar(known[i].name, &any[i]);
    parsed.parser.SetExpr(text);
    const auto& used = parsed.parser.GetUsedVar();
    for (const Quantity& each : known) {
      if (used.count(each.name) > 0) parsed.used.push_back(each);
    }
    parsed.values.resize(parsed.used.size());
    parsed.parser.ClearVar();
    for (std::size_t i = 0; i < parsed.used.size(); ++i) {
      parsed.parser.DefineVar(parsed.used[i].name, &parsed.values[i]);
    }
    parsed.parser.Eval();
  } catch (const mu::ParserError& problem) {
    throw refusal(option, text, problem, known);
  }
}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;

double Expression::value(const mjModel& model, const mjData& data) const {
  Parsed& parsed = *parsed_;
  for (std::size_t i = 0; i < parsed.used.size(); ++i) {
    parsed.values[i] = read(parsed.used[i], model, data);
  }
  std::string problem;
  try {
    const double value = parsed.parser.Eval();
    if (std::isfinite(value)) return value;
    problem = fmt::format("it is {}", value);
  } catch (const mu::ParserError& error) {
    problem = error.GetMsg();
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < parsed.used.size(); ++i) {
    values.push_back(fmt::format("{} = {}", parsed.used[i].name, parsed.values[i]));
  }
  throw Error(Code::kNumeric,
              fmt::format("{} '{}': {} where {}", parsed.option, base::printable(parsed.text),
                          base::printable(problem), base::join(values, ", ")),
              "Keep the formula finite for every state");
}

}  // namespace tenfold::env

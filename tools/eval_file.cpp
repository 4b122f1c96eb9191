#include "tools/eval_file.hpp"

#include "core/grading.hpp"
#include "tools/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

namespace assay::tools {

namespace {

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::uint32_t points_max = 1'000'000;
constexpr std::uint32_t million_tokens = 1'000'000;

/// What belongs to a file while it is read.
struct reading {
    std::filesystem::path dir;
    yaml_problems problems;
};

std::string percent_encoded(std::string_view text, std::string_view kept)
{
    std::string out;
    for (char const c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) || kept.find(c) != std::string_view::npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::filesystem::path beside(reading const& r, std::string const& named)
{
    return (r.dir / named).lexically_normal();
}

void read_recording(yaml_map& from, provider_spec& p, reading const& r)
{
    auto const file = from.required("file");
    auto question = from.text("question");
    auto answer = from.text("answer");
    if (file.empty())
        return;
    p.recording = beside(r, file);
    if (!std::filesystem::is_regular_file(p.recording))
        from.problem("file", fmt::format("there is no file {}", p.recording.string()));
    p.endpoint = recording_url(p.recording, question.empty() ? "question" : question,
                               answer.empty() ? "{model}.solution" : answer);
}

provider_spec read_provider(YAML::Node const& node, std::string const& path, reading& r)
{
    yaml_map from(node, path, r.problems);
    provider_spec p;
    p.name = from.required("name");
    p.kind = from.required("kind");
    p.requests_per_minute = from.count("requests_per_minute", 0, 1, 10'000'000);
    p.concurrency = from.count("concurrency", 0, 1, 100'000);
    if (p.kind == "recorded") {
        read_recording(from, p, r);
    } else if (p.kind == "openai") {
        p.endpoint = from.required("base_url");
        p.key_env = from.text("key_env");
        if (!p.endpoint.empty() && !p.endpoint.starts_with("http://") &&
            !p.endpoint.starts_with("https://"))
            from.problem("base_url",
                         fmt::format("'{}' is not an http:// or https:// URL", p.endpoint));
    } else if (!p.kind.empty()) {
        from.problem("kind", fmt::format("'{}' is not one of: openai, recorded", p.kind));
        (void)from.rest();
    }
    from.finish();
    return p;
}

/// Prices in the file are per million tokens, as hosts publish them.
boost::json::array read_pricing(yaml_map& from, reading& r)
{
    boost::json::array out;
    auto const node = from.any("pricing");
    if (!node)
        return out;
    yaml_map prices(*node, from.path_of("pricing"), r.problems);
    auto currency = prices.text("currency");
    if (currency.empty())
        currency = "USD";
    if (currency.size() != 3 ||
        !std::ranges::all_of(currency, [](char c) { return c >= 'A' && c <= 'Z'; }))
        prices.problem("currency", "expected an ISO 4217 code such as USD");
    for (auto const* const kind : {"input", "output", "cached_input"}) {
        auto const price = prices.number(kind);
        if (!price)
            continue;
        if (!(*price >= 0 && *price <= 1e6))
            prices.problem(kind, "expected a price per million tokens");
        out.push_back(boost::json::object{{"pricing_type", fmt::format("{}_tokens", kind)},
                                          {"price", *price},
                                          {"unit_name", "tokens"},
                                          {"unit_category", "tokens"},
                                          {"unit_value", million_tokens},
                                          {"currency", currency}});
    }
    prices.finish();
    return out;
}

model_spec read_model(YAML::Node const& node, std::string const& path, reading& r,
                      std::vector<provider_spec> const& providers)
{
    model_spec m;
    if (node.IsScalar()) {
        m.name = yaml_text(node, path, r.problems);
    } else {
        yaml_map from(node, path, r.problems);
        m.name = from.required("name");
        m.value = from.text("value");
        m.provider = from.text("provider");
        m.parameters = from.object("parameters");
        m.pricing = read_pricing(from, r);
        if (!m.provider.empty() &&
            std::ranges::none_of(providers, [&](auto const& p) { return p.name == m.provider; }))
            from.problem("provider",
                         fmt::format("there is no provider '{}' in this file", m.provider));
        from.finish();
    }
    if (m.value.empty())
        m.value = m.name;
    if (m.provider.empty() && providers.size() == 1)
        m.provider = providers.front().name;
    else if (m.provider.empty())
        r.problems.add(node.Mark(), path,
                       "with several providers each model must name its provider");
    return m;
}

agent_spec read_agent(YAML::Node const& node, std::string const& path, reading& r)
{
    yaml_map from(node, path, r.problems);
    agent_spec a;
    a.name = from.required("name");
    a.system_prompt = from.text("system_prompt");
    a.instructions = from.texts("instructions");
    a.temperature = from.number("temperature");
    if (a.temperature && *a.temperature < 0)
        from.problem("temperature", "must not be negative");
    a.reasoning = from.text("reasoning");
    a.parameters = from.object("parameters");
    from.finish();
    return a;
}

/// Notes what core/grading has against a configuration, at the lines of the keys it names.
void note_grader_problems(error const& e, yaml_map& from)
{
    if (e.fields.empty())
        return from.problem("kind", e.detail);
    for (auto const& field : e.fields)
        from.problem(field.loc.empty() ? "kind" : field.loc.front(), field.msg);
}

grader_spec read_grader(YAML::Node const& node, std::string const& path, reading& r)
{
    yaml_map from(node, path, r.problems);
    grader_spec g;
    g.name = from.text("name");
    g.description = from.text("description");
    g.points = from.count("points", 1, 1, points_max);
    g.pass_points = from.count("pass_points", g.points, 0, g.points);
    auto const kind = from.required("kind");
    g.config = from.rest();
    g.config["kind"] = kind;
    if (g.name.empty())
        g.name = kind;
    if (kind.empty())
        return g;
    if (auto const checked = grading::parse_grader(g.config); !checked)
        note_grader_problems(checked.error(), from);
    return g;
}

scenario_source read_source(yaml_map& top, reading& r, std::string const& eval_name)
{
    scenario_source s{.file = {}, .question = {}, .expected = {}, .name = {}, .prefix = eval_name};
    auto const node = top.any("scenarios");
    if (!node) {
        top.problem("scenarios", "is missing");
        return s;
    }
    yaml_map from(*node, "scenarios", r.problems);
    auto const file = from.required("file");
    if (!file.empty()) {
        s.file = beside(r, file);
        if (!std::filesystem::is_regular_file(s.file))
            from.problem("file", fmt::format("there is no file {}", s.file.string()));
    }
    if (auto const format = from.text("format"); !format.empty() && format != "jsonl")
        from.problem("format", fmt::format("'{}' is not one of: jsonl", format));
    s.limit = from.count("limit", 0, 1, 10'000'000);
    if (auto const map = from.any("map")) {
        yaml_map fields(*map, "scenarios.map", r.problems);
        s.question = fields.required("question");
        s.expected = fields.text("expected");
        s.name = fields.text("name");
        fields.finish();
    } else {
        from.problem("map",
                     "is missing: say which field is the question, e.g. map: {question: question}");
    }
    from.finish();
    return s;
}

template <class Spec>
void check_names(std::vector<Spec> const& specs, std::vector<YAML::Node> const& nodes,
                 std::string const& key, reading& r)
{
    std::set<std::string> seen;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        if (!specs[i].name.empty() && !seen.insert(specs[i].name).second)
            r.problems.add(nodes[i].Mark(), fmt::format("{}[{}]", key, i),
                           fmt::format("'{}' stands here for the second time", specs[i].name));
    }
}

/// Reads a list of things with names, of which there must be one at least.
template <class Spec>
std::vector<Spec> read_list(yaml_map& top, std::string const& key, reading& r, bool needed,
                            std::function<Spec(YAML::Node const&, std::string const&)> const& read)
{
    std::vector<Spec> out;
    auto const nodes = top.sequence(key);
    if (nodes.empty() && needed && !(top.has(key) && !top.any(key)->IsSequence()))
        top.problem(key, "is missing or empty");
    for (std::size_t i = 0; i < nodes.size(); ++i)
        out.push_back(read(nodes[i], fmt::format("{}[{}]", key, i)));
    check_names(out, nodes, key, r);
    return out;
}

std::vector<agent_spec> read_agents(yaml_map& top, reading& r)
{
    if (top.has("agent") && top.has("agents"))
        top.problem("agent", "stands beside 'agents': use one of them");
    if (auto const one = top.any("agent")) {
        (void)top.any("agents");
        return {read_agent(*one, "agent", r)};
    }
    return read_list<agent_spec>(top, "agents", r, false, [&](auto const& node, auto const& path) {
        return read_agent(node, path, r);
    });
}

scenario_source read_top(YAML::Node const& root, eval_file& out, reading& r)
{
    yaml_map top(root, {}, r.problems);
    out.name = top.required("name");
    out.description = top.text("description");
    out.providers = read_list<provider_spec>(
        top, "providers", r, true,
        [&](auto const& node, auto const& path) { return read_provider(node, path, r); });
    out.models =
        read_list<model_spec>(top, "models", r, true, [&](auto const& node, auto const& path) {
            return read_model(node, path, r, out.providers);
        });
    out.agents = read_agents(top, r);
    out.graders =
        read_list<grader_spec>(top, "graders", r, true, [&](auto const& node, auto const& path) {
            return read_grader(node, path, r);
        });
    std::uint32_t total = 0;
    for (auto const& g : out.graders)
        total += g.points;
    out.pass_points = top.count("pass_points", total, 0, std::max<std::uint32_t>(total, 1));
    out.repeats = top.count("repeats", 1, 1, 1000);
    out.in_flight = top.count("in_flight", 0, 1, 100'000);
    auto source = read_source(top, r, out.name);
    top.finish();
    return source;
}

result<YAML::Node> load(std::filesystem::path const& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in || std::filesystem::is_directory(file))
        return fail(errc::io, fmt::format("cannot read {}", file.string()));
    std::ostringstream text;
    text << in.rdbuf();
    if (text.view().size() > file_bytes_max)
        return fail(errc::invalid, fmt::format("{} is larger than 1 MiB", file.string()));
    try {
        return YAML::Load(text.str());
    } catch (YAML::Exception const& e) {
        return fail(errc::invalid, fmt::format("{}:{}: {}", file.string(), e.mark.line + 1, e.msg),
                    "bad_file");
    }
}

} // namespace

std::string recording_url(std::filesystem::path const& file, std::string_view question,
                          std::string_view answer)
{
    auto const path = std::filesystem::absolute(file).lexically_normal().string();
    return fmt::format("file://{}?question={}&answer={}", percent_encoded(path, "/-._~"),
                       percent_encoded(question, "-._~"), percent_encoded(answer, "-._~"));
}

result<eval_file> read_eval_file(std::filesystem::path const& file)
{
    ASSAY_TRY(auto const root, load(file));
    reading r{.dir = std::filesystem::absolute(file).parent_path(),
              .problems = yaml_problems(file.string())};
    eval_file out;
    scenario_source source;
    try {
        source = read_top(root, out, r);
    } catch (YAML::Exception const& e) {
        r.problems.add(e.mark, {}, e.msg);
    }
    if (!r.problems.empty())
        return std::unexpected(r.problems.as_error());
    ASSAY_TRY(out.scenarios, read_scenarios(source));
    return out;
}

} // namespace assay::tools

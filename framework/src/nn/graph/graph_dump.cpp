#include "nn/graph/graph_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace recloom::nn {
namespace {

std::string described(Parameter parameter) {
  return fmt::format("{} {}", parameter.name(), to_text(parameter.shape()));
}

/// Tables that a node's work uses beside its operands.
std::vector<Parameter> tables_of(const Node& node) {
  if (const auto* work = std::get_if<Lookup>(&node.work)) return {work->table};
  if (const auto* work = std::get_if<RowScores>(&node.work)) return {work->table};
  const auto* head = std::get_if<SoftmaxHead>(&node.work);
  if (head == nullptr) return {};
  std::vector<Parameter> tables = head->head.tables;
  if (head->head.bias) tables.push_back(head->head.bias);
  return tables;
}

std::string sources_of(const Graph& graph, const Node& node) {
  std::vector<std::string> sources;
  for (const Operand& operand : node.operands)
    sources.push_back(operand.parameter ? described(operand.parameter)
                                        : graph.node(operand.node()).name);
  for (const Parameter& table : tables_of(node)) sources.push_back(described(table));
  return fmt::format("{}", fmt::join(sources, ", "));
}

/// A name inside a quoted string of Graphviz.
std::string quoted(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

std::string_view op_name(const Node& node) {
  if (const Op* op = node.op()) return op->name();
  if (node.integer()) return "ids";
  if (std::holds_alternative<Lookup>(node.work)) return "lookup";
  if (std::holds_alternative<RowScores>(node.work)) return "row_scores";
  if (std::holds_alternative<SoftmaxHead>(node.work)) return "softmax_head";
  return "view";
}

std::string graph_text(const Graph& graph) {
  std::vector<std::array<std::string, 5>> lines = {{"#", "node", "op", "shape", "from"}};
  for (const NodeId id : graph.ids()) {
    const Node& node = graph.node(id);
    lines.push_back({std::to_string(id.index()), node.name, std::string(op_name(node)),
                     to_text(node.shape), sources_of(graph, node)});
  }
  std::array<std::size_t, 4> widths{};
  for (const auto& line : lines)
    for (std::size_t c = 0; c < widths.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < widths.size(); ++c)
      text += fmt::format("{:<{}}", line[c], widths[c] + 2);
    text += line.back();
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string graph_dot(const Graph& graph) {
  std::string text = "digraph network {\n  rankdir=TB;\n  node [shape=box, fontname=monospace];\n";
  for (const NodeId id : graph.ids()) {
    const std::size_t index = id.index();
    const Node& node = graph.node(id);
    text += fmt::format("  n{} [label=\"{}\\n{} {}\"{}];\n", index, quoted(node.name),
                        quoted(op_name(node)), to_text(node.shape),
                        node.integer() ? ", style=dashed" : "");
    std::vector<Parameter> parameters = tables_of(node);
    for (const Operand& operand : node.operands) {
      if (operand.parameter) parameters.push_back(operand.parameter);
      if (operand.node()) text += fmt::format("  n{} -> n{};\n", operand.node().index(), index);
    }
    for (const Parameter& parameter : parameters) {
      const std::string name = quoted(parameter.name());
      text += fmt::format("  \"{}\" [shape=ellipse, label=\"{}\\n{}\"];\n  \"{}\" -> n{};\n", name,
                          name, to_text(parameter.shape()), name, index);
    }
  }
  return text + "}\n";
}

}  // namespace recloom::nn

#include "model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 64;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // As in the format's reference reader.
constexpr std::size_t kMostAxes = 8;
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::string_view kDataHash = "xxh3";
constexpr std::string_view kHeaderHash = "xxh3_header";
const std::string kNoHash(16, '0');

struct TypeName {
  DType dtype;
  std::string_view name;
  std::size_t size;
};
constexpr TypeName kTypes[] = {{DType::f32, "F32", 4},
                               {DType::f64, "F64", 8},
                               {DType::i32, "I32", 4},
                               {DType::i64, "I64", 8},
                               {DType::u8, "U8", 1}};

const TypeName& type_of(DType dtype) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes),
                       [dtype](const TypeName& type) { return type.dtype == dtype; });
}

/// Return the number of bytes of a tensor, nothing if a shape is negative or too large to be.
std::optional<std::uint64_t> byte_count(const std::vector<std::int64_t>& shape, DType dtype) {
  std::uint64_t count = size_of(dtype);
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent != 0 &&
        count > std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(extent))
      return std::nullopt;
    count *= static_cast<std::uint64_t>(extent);
  }
  return count;
}

/// An entry as dump_json() writes it: hashes are of the header's text, so it is replaced there.
std::string header_entry(std::string_view key, std::string_view value) {
  return fmt::format("{}:{}", dump_json(key), dump_json(value));
}

/// Return the hash of a header as if its own entry were zeros; nothing if it has no such entry.
std::optional<std::uint64_t> header_hash(std::string header, std::string_view written) {
  const std::size_t at = header.find(header_entry(kHeaderHash, written));
  if (at == std::string::npos) return std::nullopt;
  header.replace(at, header_entry(kHeaderHash, written).size(), header_entry(kHeaderHash, kNoHash));
  return hash64(header);
}

/// Return positions of the tensors in the order of their data: large elements first.
std::vector<std::size_t> data_order(std::span<const TensorView> tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(tensors[a].dtype) > size_of(tensors[b].dtype);
  });
  return order;
}

std::string make_header(std::span<const TensorView> tensors, std::span<const std::size_t> order,
                        std::map<std::string, std::string> metadata) {
  std::vector<std::uint64_t> begins(tensors.size());
  std::uint64_t end = 0;
  Hasher data;
  for (const std::size_t index : order) {
    begins[index] = std::exchange(end, end + tensors[index].bytes.size());
    data.update(tensors[index].bytes);
  }
  metadata[std::string(kDataHash)] = hex(data.value());
  metadata[std::string(kHeaderHash)] = kNoHash;
  Json json = Json::object();
  json[std::string(kMetadata)] = metadata;
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    const TensorView& tensor = tensors[index];
    if (byte_count(tensor.shape, tensor.dtype) != tensor.bytes.size() || json.contains(tensor.name))
      throw InternalError(fmt::format("tensor '{}' has a wrong size or a name that is taken",
                                      printable(tensor.name)));
    json[tensor.name] = {{"dtype", type_of(tensor.dtype).name},
                         {"shape", tensor.shape},
                         {"data_offsets", {begins[index], begins[index] + tensor.bytes.size()}}};
  }
  std::string header = dump_json(json);
  const std::size_t length = kLengthBytes + header.size();
  header.append((kAlignment - length % kAlignment) % kAlignment, ' ');
  const std::string hash = hex(header_hash(header, kNoHash).value());
  const std::string zeros = header_entry(kHeaderHash, kNoHash);
  return header.replace(header.find(zeros), zeros.size(), header_entry(kHeaderHash, hash));
}

}  // namespace

std::size_t size_of(DType dtype) { return type_of(dtype).size; }

void TensorView::require(DType wanted) const {
  if (dtype != wanted)
    throw IoError(fmt::format("tensor '{}' holds {}, not {}", printable(name), type_of(dtype).name,
                              type_of(wanted).name));
}

void write_safetensors(const std::string& file, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<std::size_t> order = data_order(tensors);
  const std::string header = make_header(tensors, order, metadata);
  const std::uint64_t length = header.size();
  char length_bytes[kLengthBytes];
  std::memcpy(length_bytes, &length, kLengthBytes);
  write_file_atomically(file, [&](const auto& append) {
    append(std::string_view(length_bytes, kLengthBytes));
    append(header);
    for (const std::size_t index : order) append(tensors[index].bytes);
  });
}

struct SafetensorsFile::Impl {
  struct Part {
    std::uint64_t begin = 0, end = 0;
    auto operator<=>(const Part&) const = default;
  };

  std::string file;
  std::string header;
  std::uint64_t data_size = 0;
  std::vector<Part> parts;       ///< Where the tensors lie in the data.
  std::unique_ptr<char[]> data;  ///< Aligned to what any element needs.
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
  std::vector<std::unique_ptr<std::uint64_t[]>> copies;  ///< Of tensors that lie unaligned.

  Impl(const std::string& name, Hashes hashes) : file(name) {
    const InputFile input(file);
    read_header(input);
    parse_header();
    check_coverage();
    read_data(input);
    input.require_unchanged();
    check_hashes(hashes);
  }

  [[noreturn]] void fail(std::string_view reason) const {
    throw IoError(fmt::format("{} is no safetensors file or damaged: {}", printable(file, 400),
                              printable(reason, 300)));
  }

  void read_header(const InputFile& input) {
    if (input.size() < kLengthBytes) fail(fmt::format("it has {} bytes", input.size()));
    std::uint64_t length = 0;
    input.read(0, std::span(reinterpret_cast<char*>(&length), kLengthBytes));
    if (length > input.size() - kLengthBytes)
      fail(fmt::format("its header should have {} bytes, the file has {}", length, input.size()));
    if (length > kLongestHeader)
      fail(fmt::format("its header has {} bytes, at most {} are legal", length, kLongestHeader));
    header.resize(length);
    input.read(kLengthBytes, header);
    data_size = input.size() - kLengthBytes - length;
  }

  void parse_header() {
    const Json json = header_json();
    if (!json.is_object()) fail("its header is no JSON object");
    for (const auto& [key, value] : json.items())
      key == kMetadata ? read_metadata(value) : read_tensor(key, value);
  }

  Json header_json() const {
    try {
      return parse_json(header);
    } catch (const IoError& error) {
      fail(fmt::format("its header cannot be read: {}", error.what()));
    }
  }

  void read_metadata(const Json& json) {
    if (!json.is_object()) fail("its metadata is no JSON object");
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) fail(fmt::format("metadata '{}' is no text", printable(key)));
      metadata[key] = value.get<std::string>();
    }
  }

  void read_tensor(const std::string& name, const Json& json) {
    const auto bad = [&](std::string_view what) {
      fail(fmt::format("tensor '{}' {}", printable(name), what));
    };
    if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
        !json.contains("data_offsets"))
      bad("lacks dtype, shape or data_offsets");
    const Json &dtype = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
    const auto type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& known) {
          return dtype.is_string() && dtype.get_ref<const std::string&>() == known.name;
        });
    if (type == std::end(kTypes))
      bad("has type " + printable(dump_json(dtype)) + ", not F32, F64, I32, I64 or U8");
    TensorView tensor;
    tensor.name = name;
    tensor.dtype = type->dtype;
    if (!shape.is_array()) bad("has no shape");
    if (shape.size() > kMostAxes) bad(fmt::format("has more than {} axes", kMostAxes));
    for (const Json& extent : shape) {
      if (!extent.is_number_integer()) bad("has a shape that is no list of integers");
      // An unsigned number beyond the largest signed one becomes negative, which no shape may be.
      tensor.shape.push_back(extent.get<std::int64_t>());
    }
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      bad("has bad offsets");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_size)
      bad(fmt::format("has data from {} to {} of {} bytes", begin, end, data_size));
    if (byte_count(tensor.shape, tensor.dtype) != end - begin)
      bad(fmt::format("has {} bytes, which its shape contradicts", end - begin));
    parts.push_back({begin, end});
    tensors.push_back(std::move(tensor));
  }

  // The format allows neither gaps nor overlaps: a file that ends early or late shows here.
  void check_coverage() const {
    std::vector<Part> sorted = parts;
    std::sort(sorted.begin(), sorted.end());
    std::uint64_t next = 0;
    for (const auto& [begin, end] : sorted) {
      if (begin != next) fail("its tensors overlap or leave a gap");
      next = end;
    }
    if (next != data_size) fail("bytes follow the last tensor");
  }

  // Writers need not align the data; views must be.
  void read_data(const InputFile& input) {
    data = std::make_unique_for_overwrite<char[]>(data_size);
    input.read(kLengthBytes + header.size(), std::span(data.get(), data_size));
    for (std::size_t index = 0; index < tensors.size(); ++index) {
      TensorView& tensor = tensors[index];
      const std::size_t size = parts[index].end - parts[index].begin;
      tensor.bytes = {data.get() + parts[index].begin, size};
      if (parts[index].begin % size_of(tensor.dtype) == 0) continue;
      copies.push_back(std::make_unique<std::uint64_t[]>((size + 7) / 8));
      auto* copy = reinterpret_cast<char*>(copies.back().get());
      std::memcpy(copy, tensor.bytes.data(), size);
      tensor.bytes = {copy, size};
    }
  }

  void check_hashes(Hashes wanted) {
    const auto data_hash = metadata.extract(std::string(kDataHash));
    const auto header_entry_hash = metadata.extract(std::string(kHeaderHash));
    if (data_hash.empty() && header_entry_hash.empty()) {
      if (wanted == Hashes::optional) return;
      fail("it lacks the hashes that recloom writes into its files (xxh3, xxh3_header)");
    }
    if (data_hash.empty() || header_entry_hash.empty()) fail("one of its two hashes is missing");
    const std::string& written = header_entry_hash.mapped();
    const auto expected = header_hash(header, written);
    if (!expected || hex(*expected) != written) fail("its header has changed since it was written");
    if (hex(hash64({data.get(), data_size})) != data_hash.mapped())
      fail("its data has changed since it was written");
  }
};

SafetensorsFile::SafetensorsFile(const std::string& file, Hashes hashes)
    : impl_(std::make_unique<Impl>(file, hashes)) {}
SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::vector<TensorView>& SafetensorsFile::tensors() const noexcept { return impl_->tensors; }

const TensorView* SafetensorsFile::find(std::string_view name) const noexcept {
  const auto found = std::find_if(impl_->tensors.begin(), impl_->tensors.end(),
                                  [name](const TensorView& tensor) { return tensor.name == name; });
  return found == impl_->tensors.end() ? nullptr : &*found;
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const noexcept {
  return impl_->metadata;
}

}  // namespace recloom

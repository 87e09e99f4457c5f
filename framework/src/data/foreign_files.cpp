#include "data/foreign_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace recloom {
namespace {

using std::string_view_literals::operator""sv;

struct Kind {
  std::size_t at;  ///< Where the mark stands.
  std::string_view mark, says;
};

constexpr std::array kKinds = {
    Kind{0, "\xFF\xFE\0\0"sv, "text in UTF-32; --set data.encoding=utf-32 reads it"},
    Kind{0, "\xFF\xFE", "text in UTF-16; --set data.encoding=utf-16 reads it"},
    Kind{0, "\xFE\xFF", "text in UTF-16; --set data.encoding=utf-16 reads it"},
    Kind{0, "PAR1",
         "a Parquet file; write it as text, for example with pandas: "
         "pandas.read_parquet(file).to_csv(\"log.csv\", index=False)"},
    Kind{0, "ARROW1",
         "an Arrow file; write it as text, for example with pandas: "
         "pandas.read_feather(file).to_csv(\"log.csv\", index=False)"},
    Kind{0, "\x89HDF\r\n\x1a\n",
         "an HDF5 file; write it as text, for example with pandas: "
         "pandas.read_hdf(file).to_csv(\"log.csv\", index=False)"},
    Kind{0, "SQLite format 3\0"sv,
         "an SQLite database; write a table as text: sqlite3 -header -csv FILE "
         "'select * from TABLE' > log.csv"},
    Kind{0, "\x93NUMPY", "a NumPy array; write it as text with numpy.savetxt()"},
    Kind{0, "BZh",
         "a bzip2 archive; unpack it with bunzip2, or pipe it: bzcat FILE | recloom ... -"},
    Kind{0, "\xFD\x37zXZ\0"sv,
         "an xz archive; unpack it with unxz, or pipe it: xzcat FILE | recloom ... -"},
    Kind{0, "7z\xBC\xAF\x27\x1C", "a 7z archive; unpack it with 7z x"},
    Kind{0, "Rar!\x1A\x07", "a RAR archive; unpack it with unrar x"},
    Kind{257, "ustar", "a tar archive; unpack it with tar -xf and give the file that is in it"},
    Kind{0, "%PDF-", "a PDF document"},
    Kind{0, "\x80\x04\x95", "a Python pickle; write what it holds as text, in Python"},
    Kind{0, "\x80\x05\x95", "a Python pickle; write what it holds as text, in Python"},
};

/// A zip archive, or one of the formats that are zip archives inside.
std::string zip_file(std::string_view head) {
  const std::string_view begin = head.substr(0, 4096);
  for (const std::string_view part : {"xl/", "[Content_Types].xml"}) {
    if (begin.find(part) != std::string_view::npos) {
      return "an Excel workbook (.xlsx); save the sheet as CSV";
    }
  }
  if (begin.find(".npy") != std::string_view::npos) {
    return "NumPy arrays (.npz); write them as text with numpy.savetxt()";
  }
  return "a zip archive; unpack it (unzip FILE) and give the file that is in it";
}

bool is_web_page(std::string_view head) {
  std::string begin(head.substr(0, 15));
  for (char& c : begin) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

/// UTF-16 without a mark in front: every second byte of ASCII text is zero.
std::string bare_utf16(std::string_view head) {
  const std::string_view begin = head.substr(0, 200);
  std::array<std::size_t, 2> zeros = {0, 0};
  for (std::size_t at = 0; at < begin.size(); ++at) zeros[at % 2] += begin[at] == '\0';
  for (const std::size_t side : {0, 1}) {
    if (begin.size() >= 8 && zeros[side] * 10 >= begin.size() * 4 && zeros[1 - side] == 0) {
      return side == 1 ? "text in UTF-16; --set data.encoding=utf-16le reads it"
                       : "text in UTF-16; --set data.encoding=utf-16be reads it";
    }
  }
  return "";
}

}  // namespace

std::string foreign_file(std::string_view head) {
  for (const Kind& kind : kKinds) {
    if (head.size() > kind.at && head.substr(kind.at).starts_with(kind.mark)) {
      return std::string(kind.says);
    }
  }
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return zip_file(head);
  if (is_web_page(head))
    return "a web page (HTML); was the download a page that asks for something?";
  if (head.starts_with("<?xml"))
    return "XML; write its rows as a table, for example with pandas: "
           "pandas.read_xml(file).to_csv(\"log.csv\", index=False)";
  return bare_utf16(head);
}

std::string not_utf8_text(std::string_view head) {
  if (const std::string kind = foreign_file(head); !kind.empty()) return "this is " + kind;
  const bool has_zero = head.find('\0') != std::string_view::npos;
  if (has_zero) return "binary data (a zero byte); expected UTF-8 text (plain, .gz or .zst)";
  return "this is not valid UTF-8: text in another encoding (--set data.encoding=latin-1, or "
         "another, "
         "reads it) or binary data; expected UTF-8 text (plain, .gz or .zst)";
}

}  // namespace recloom

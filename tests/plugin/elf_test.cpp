#include "plugin/elf.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/support.hpp"

namespace recloom {
namespace {

using testing::read_text;
using testing::TemporaryFolder;

const std::string kGood = RECLOOM_FIXTURE_DIR "/recloom-good_model.so";

TEST(ElfProblem, FindsNoneInALibrary) {
  EXPECT_EQ(elf_problem(kGood), "");
  EXPECT_EQ(elf_problem(RECLOOM_FIXTURE_DIR "/recloom-stripped.so"), "");
}

TEST(ElfProblem, TellsWhatIsNoLibrary) {
  const TemporaryFolder folder;
  EXPECT_EQ(elf_problem(folder.write("text", "hello, world\n")), "is no shared library");
  EXPECT_EQ(elf_problem(folder.write("empty", "")), "is empty");
  EXPECT_EQ(elf_problem(folder.path().string()), "is a folder");
  EXPECT_EQ(elf_problem("/dev/null"), "is no regular file");
  std::filesystem::create_symlink("/nowhere/at/all", folder.file("link"));
  EXPECT_EQ(elf_problem(folder.file("link")), "is a link to nothing");
  EXPECT_EQ(elf_problem(folder.file("none")),
            "cannot open " + folder.file("none") + ": No such file or directory");
  EXPECT_EQ(elf_problem("/proc/self/exe"), "");  // A position-independent program is one too.
}

TEST(ElfProblem, OpensNothingThatWouldWait) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(elf_problem(folder.file("pipe")), "is no regular file");
}

TEST(ElfProblem, FindsASanitizerThatWouldEndTheProcess) {
  const std::string problem = elf_problem(RECLOOM_FIXTURE_DIR "/recloom-sanitized.so");
#if defined(__SANITIZE_ADDRESS__)
  EXPECT_EQ(problem, "");
#else
  EXPECT_EQ(problem,
            "was built with AddressSanitizer, this was not: build it with the same compiler flags");
#endif
}

TEST(ElfProblem, FindsThreadSanitizerToo) {
  const std::string problem = elf_problem(RECLOOM_FIXTURE_DIR "/recloom-sanitized_threads.so");
#if defined(__SANITIZE_THREAD__)
  EXPECT_EQ(problem, "");
#else
  EXPECT_EQ(problem,
            "was built with ThreadSanitizer, this was not: build it with the same compiler flags");
#endif
}

TEST(ElfProblem, FindsEveryCut) {
  const TemporaryFolder folder;
  const std::string good = read_text(kGood), file = folder.write("cut", good);
  for (std::size_t size = good.size(); size-- > 4;) {
    if (size % 97 != 0 && size > 200 && size < good.size() - 200) continue;
    std::filesystem::resize_file(file, size);
    ASSERT_EQ(elf_problem(file), "is a library that was cut short") << size << " bytes";
  }
}

TEST(ElfProblem, FindsAnotherMachine) {
  const TemporaryFolder folder;
  std::string bytes = read_text(kGood);
  const auto with = [&](std::size_t at, char value) {
    std::string changed = bytes;
    changed[at] = value;
    return elf_problem(folder.write("f", changed));
  };
  EXPECT_EQ(with(EI_CLASS, ELFCLASS32), "is a library for another machine");
  EXPECT_EQ(with(EI_DATA, ELFDATA2MSB), "is a library for another machine");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_machine), EM_SPARC), "is a library for another machine");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_type), ET_REL), "is no shared library");
  EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_phentsize), 1), "is a damaged library");
}

}  // namespace
}  // namespace recloom

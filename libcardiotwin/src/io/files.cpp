#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <list>
#include <system_error>
#include <utility>

#include "temporary.hpp"

namespace cardiotwin {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return value_ >= 0; }
  /// 0, or why the data did not reach the disk.
  int flush() {
    if (::fsync(value_) != 0) return errno;
    return ::close(std::exchange(value_, -1)) == 0 ? 0 : errno;
  }

 private:
  int value_;
};

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

void require_writable(const fs::path& path) {
  const auto folder = folder_of(path);
  std::error_code error;
  if (!path.has_filename()) throw FileError(fmt::format("\"{}\" is not the name of a file", path.string()));
  if (!fs::is_directory(folder, error)) {
    throw FileError(fmt::format("cannot write {}: the folder {} does not exist", path.string(), folder.string()));
  }
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw FileError(fmt::format("cannot write {}: the folder {} is not writable ({})", path.string(), folder.string(),
                                reason(errno)));
  }
  if (fs::is_directory(path, error))
    throw FileError(fmt::format("cannot write {}: a folder has that name", path.string()));
}

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter = 0;
  return path.parent_path() / fmt::format(".part-{}-{}-{}", ::getpid(), counter++, path.filename().string());
}

namespace {

// Written aside, on disk once flushed; removed unless renamed.
class Aside {
 public:
  explicit Aside(fs::path path) : path_(std::move(path)), temporary_(temporary_name(path_)) {}
  ~Aside() {
    std::error_code ignored;
    fs::remove(temporary_, ignored);  // after the rename there is nothing left to remove
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  void write(const std::function<void(const fs::path&)>& fill) const {
    try {
      fill(temporary_);
    } catch (const FileError& error) {
      throw FileError(fmt::format("cannot write {}: {}", path_.string(), error.what()));
    }
    Descriptor file(temporary_, O_RDWR);
    if (!file) throw FileError(fmt::format("cannot write {}: {}", path_.string(), reason(errno)));
    if (const int error = file.flush())
      throw FileError(fmt::format("cannot write {}: {}", path_.string(), reason(error)));
  }
  void rename() const {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
      throw FileError(fmt::format("cannot write {}: {}", path_.string(), reason(errno)));
    // The new name survives a power cut only once the folder is on disk; some file systems cannot, which is no failure.
    if (Descriptor folder(folder_of(path_), O_RDONLY | O_DIRECTORY); folder) folder.flush();
  }

 private:
  fs::path path_, temporary_;
};

void write_bytes(const fs::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  errno = 0;
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) throw FileError(reason(errno ? errno : EIO));
}

}  // namespace

void write_atomically(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  require_writable(path);
  const Aside aside(path);
  aside.write(write);
  aside.rename();
}

void write_text(const fs::path& path, std::string_view text) { write_texts({{path, text}}); }

void write_texts(const std::vector<std::pair<fs::path, std::string_view>>& files) {
  std::list<Aside> aside;
  for (const auto& each : files) {
    require_writable(each.first);
    aside.emplace_back(each.first).write([&](const fs::path& file) { write_bytes(file, each.second); });
  }
  for (const auto& file : aside) file.rename();
}

std::string read_text(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) throw FileError(fmt::format("{} does not exist", path.string()));
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path, error)) throw FileError(fmt::format("{} cannot be read", path.string()));
  std::string text;
  if (const auto size = fs::file_size(path, error); !error && size > 0) {  // at once where the size is known
    text.resize(size);
    in.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.eof()) in.clear();
  }
  text.append(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) throw FileError(fmt::format("{}: reading failed", path.string()));
  return text;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) {
    throw FileError(fmt::format("cannot make the folder {}: {}", folder.string(),
                                error ? error.message() : "a file has that name"));
  }
  // Access bits alone do not show a read-only or full disk: write something.
  const auto probe = temporary_name(folder / "probe");
  std::ofstream out(probe);
  out << "probe\n";
  out.close();
  const bool ok = static_cast<bool>(out);
  fs::remove(probe, error);
  if (!ok) throw FileError(fmt::format("the folder {} is not writable", folder.string()));
}

}  // namespace cardiotwin

// Whatever bytes come on stdin, a direct run ends with a result or with an exception of its own,
// and no sanitizer objects. `make fuzz` runs it with libFuzzer.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "host/direct_run.hpp"
#include "lockstep/component.hpp"
#include "lockstep/host/errors.hpp"
#include "std_msgs/msg/bool.hpp"
#include "std_msgs/msg/float64_multi_array.hpp"
#include "std_msgs/msg/header.hpp"
#include "std_msgs/msg/string.hpp"

namespace
{

using std_msgs::msg::Bool;
using std_msgs::msg::Float64MultiArray;
using std_msgs::msg::Header;
using std_msgs::msg::String;

/// Publishes all that it hears. Without timers: one step of time could fire millions of them.
struct Mirror : lockstep::Component
{
  Input<String> text{this, "text", &Mirror::on_text};
  Input<Header> header{this, "header", &Mirror::on_header};
  Input<Float64MultiArray> matrix{this, "matrix", &Mirror::on_matrix};
  Input<Bool> flag{this, "flag", &Mirror::on_flag};
  Output<String> text_out{this, "text_out"};
  Output<Header> header_out{this, "header_out"};
  Output<Float64MultiArray> matrix_out{this, "matrix_out"};
  Output<Bool> flag_out{this, "flag_out"};
  Parameter<double> gain{this, "gain", 0.5, "", Minimum{0.0}, Maximum{1.0}};
  Parameter<std::vector<std::string>> names{this, "names", {"a"}};
  Parameter<std::vector<bool>> flags{this, "flags", {true}};

  void on_text(const String & msg) { text_out.publish(msg); }
  void on_header(const Header & msg) { header_out.publish(msg); }
  void on_matrix(const Float64MultiArray & msg) { matrix_out.publish(msg); }
  void on_flag(const Bool & msg) { flag_out.publish(msg); }
};

/// Frames whose headers are right as far as no fuzzer finds by chance: magic, checksum, step.
std::vector<std::uint8_t> frames_of(const std::uint8_t * data, std::size_t size)
{
  std::vector<std::uint8_t> bytes;
  std::uint64_t step = 0;
  while (size >= 3) {
    lockstep::FrameHeader header{};
    header.kind = static_cast<lockstep::FrameKind>(data[0] & 7);
    header.port = data[1] & 7;
    header.length = static_cast<std::uint32_t>(std::min<std::size_t>(data[2], size - 3));
    header.time_ns = static_cast<std::int64_t>(data[0]) << data[1] % 56;
    if (header.kind == lockstep::FrameKind::input || header.kind == lockstep::FrameKind::advance) {
      header.step = step++;
    }
    const lockstep::HeaderBytes encoded = lockstep::encode(header);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    bytes.insert(bytes.end(), data + 3, data + 3 + header.length);
    data += 3 + header.length;
    size -= 3 + header.length;
  }
  return bytes;
}

/// A file in memory with these bytes, read from its beginning.
class Stdin
{
public:
  explicit Stdin(const std::vector<std::uint8_t> & bytes)
  : file_(memfd_create("stdin", MFD_CLOEXEC))
  {
    if (
      file_ < 0 || write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      lseek(file_, 0, SEEK_SET) != 0) {
      std::abort();
    }
  }
  ~Stdin() { close(file_); }
  Stdin(const Stdin &) = delete;
  Stdin & operator=(const Stdin &) = delete;

  int file() const { return file_; }

private:
  int file_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t * data, std::size_t size)
{
  static const int OUTPUT = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (size == 0) {
    return 0;
  }
  const bool raw = data[0] == 0;
  const Stdin input(
    raw ? std::vector<std::uint8_t>(data + 1, data + size) : frames_of(data + 1, size - 1));
  lockstep::FrameReader reader(input.file());
  static lockstep::FrameWriter writer(OUTPUT);  // its memory costs more than a run
  try {
    while (!reader.at_end()) {
      Mirror component;
      lockstep::DirectRun(component, reader, writer).run();
    }
  } catch (const lockstep::RunError &) {
  } catch (const lockstep::UsageError &) {
  }
  return 0;
}

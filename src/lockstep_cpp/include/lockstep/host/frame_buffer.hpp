#ifndef LOCKSTEP__HOST__FRAME_BUFFER_HPP_
#define LOCKSTEP__HOST__FRAME_BUFFER_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace lockstep
{

/// Bytes on their way from or to a file descriptor: filled at the end, used up from the beginning.
/// Its memory grows to the largest frame, and then stays.
class FrameBuffer
{
public:
  const std::uint8_t * data() const { return bytes_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }

  std::uint8_t * free() { return bytes_.get() + end_; }
  std::size_t free_size() const { return capacity_ - end_; }

  /// `size` more bytes have been written to `free()`.
  void fill(std::size_t size) { end_ += size; }

  /// The first `size` bytes are no longer needed.
  void use_up(std::size_t size)
  {
    begin_ += size;
    if (begin_ == end_) {
      begin_ = end_ = 0;
    }
  }

  /// See to it that `size()` can become `size` at least.
  void reserve(std::size_t size)
  {
    if (capacity_ - begin_ >= size) {
      return;
    }
    if (capacity_ >= size) {
      std::memmove(bytes_.get(), data(), this->size());
    } else {
      const std::size_t capacity = std::max(size, 2 * capacity_);
      // Not make_unique, which would write zeros to all of it.
      std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[capacity]);
      std::memcpy(bytes.get(), data(), this->size());
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    }
    end_ -= begin_;
    begin_ = 0;
  }

private:
  static constexpr std::size_t START_CAPACITY = std::size_t{256} * 1024;

  std::size_t capacity_ = START_CAPACITY;
  std::unique_ptr<std::uint8_t[]> bytes_{new std::uint8_t[START_CAPACITY]};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP__HOST__FRAME_BUFFER_HPP_

// ImageThreshold: a mono8 mask of the bright pixels of an image.
//
// Luma is ITU-R BT.601 in 14-bit fixed point, as OpenCV's cvtColor computes it; encodings are those
// of sensor_msgs/image_encodings.hpp.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"
#include "sensor_msgs/msg/image.hpp"

using sensor_msgs::msg::Image;

namespace
{

const std::map<std::string, std::size_t> CHANNELS = {{"mono8", 1}, {"8UC1", 1},  {"rgb8", 3},
                                                     {"bgr8", 3},  {"rgba8", 4}, {"bgra8", 4}};
constexpr std::uint32_t RED = 4899, GREEN = 9617, BLUE = 1868;  // of 1 << 14

}  // namespace

/// 255 where a pixel is brighter than the threshold, 0 elsewhere.
class ImageThreshold : public lockstep::Component
{
  Input<Image> image{this, "image", &ImageThreshold::on_image};
  Output<Image> mask{this, "mask"};
  Parameter<std::int64_t> threshold{
    this, "threshold", 127, "16-bit images by their high byte", Minimum{0}, Maximum{255}};

  void on_image(const Image & msg)
  {
    const bool wide = msg.encoding == "mono16" || msg.encoding == "16UC1";
    const auto channels = CHANNELS.find(msg.encoding);
    if (!wide && channels == CHANNELS.end()) {
      logger.warning("skipped an image with encoding '" + msg.encoding + "'");
      return;
    }
    const std::size_t pixel_bytes = wide ? 2 : channels->second;
    const std::size_t step = msg.step;
    if (step < msg.width * pixel_bytes || msg.data.size() < step * msg.height) {
      logger.warning("skipped an image with too little data for its size");
      return;
    }

    if (wide) {
      const std::size_t high = msg.is_bigendian ? 0 : 1;
      publish_mask(msg, 2, [high](const std::uint8_t * pixel) { return pixel[high]; });
    } else if (pixel_bytes == 1) {
      publish_mask(msg, 1, [](const std::uint8_t * pixel) { return pixel[0]; });
    } else {
      const std::size_t red = msg.encoding.rfind("rgb", 0) == 0 ? 0 : 2;
      const std::size_t blue = 2 - red;
      publish_mask(msg, pixel_bytes, [red, blue](const std::uint8_t * pixel) {
        const std::uint32_t luma = pixel[red] * RED + pixel[1] * GREEN + pixel[blue] * BLUE;
        return (luma + (1U << 13)) >> 14;
      });
    }
  }

  /// Publish the mask of an image whose pixels have a `brightness(pixel)` of 0..255.
  template <typename Brightness>
  void publish_mask(const Image & msg, std::size_t pixel_bytes, Brightness brightness)
  {
    result.header = msg.header;
    result.height = msg.height;
    result.width = msg.width;
    result.encoding = "mono8";
    result.step = msg.width;
    result.data.resize(static_cast<std::size_t>(msg.width) * msg.height);
    const std::int64_t limit = threshold;
    std::uint8_t * out = result.data.data();
    for (std::size_t y = 0; y < msg.height; ++y) {
      const std::uint8_t * pixel = msg.data.data() + y * msg.step;
      for (std::size_t x = 0; x < msg.width; ++x, pixel += pixel_bytes) {
        *out++ = static_cast<std::int64_t>(brightness(pixel)) > limit ? 255 : 0;
      }
    }
    mask.publish(result);
  }

  Image result;  // kept, so that its memory is
};

LOCKSTEP_COMPONENT(ImageThreshold)

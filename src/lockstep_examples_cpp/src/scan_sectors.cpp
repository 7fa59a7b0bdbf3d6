// ScanSectors: the nearest obstacle in each sector of a laser scan; arrays, NaN and infinities.
//
// Special ranges as REP-117 defines them: NaN is an error, +inf no return, -inf an object too close
// to measure.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "lockstep/component.hpp"
#include "lockstep/registration.hpp"
#include "sensor_msgs/msg/laser_scan.hpp"

using sensor_msgs::msg::LaserScan;

/// Reduce a scan to one range per sector; a sector without a valid return is +inf.
class ScanSectors : public lockstep::Component
{
  Input<LaserScan> scan{this, "scan", &ScanSectors::on_scan};
  Output<LaserScan> sectors{this, "sectors"};
  Parameter<std::int64_t> count{this, "count", 8, "number of sectors of equal width", Minimum{1}};

  static constexpr float INF = std::numeric_limits<float>::infinity();

  void on_scan(const LaserScan & msg)
  {
    const auto sector_count = static_cast<std::size_t>(count.value());
    std::vector<float> nearest(sector_count, INF);
    for (std::size_t i = 0; i < msg.ranges.size(); ++i) {
      const float range = msg.ranges[i];
      const bool valid = (range >= msg.range_min && range <= msg.range_max) || range == -INF;
      if (valid) {
        float & least = nearest[i * sector_count / msg.ranges.size()];
        least = std::min(least, range);
      }
    }

    // The fields are float32; the angles between are computed in float64.
    const double angle_min = msg.angle_min, angle_max = msg.angle_max;
    const double width = (angle_max - angle_min) / static_cast<double>(count);
    LaserScan result;
    result.header = msg.header;
    result.angle_min = static_cast<float>(angle_min + 0.5 * width);
    result.angle_max = static_cast<float>(angle_max - 0.5 * width);
    result.angle_increment = static_cast<float>(width);
    result.time_increment = msg.time_increment;
    result.scan_time = msg.scan_time;
    result.range_min = msg.range_min;
    result.range_max = msg.range_max;
    result.ranges = std::move(nearest);
    sectors.publish(result);
  }
};

LOCKSTEP_COMPONENT(ScanSectors)

// What the prompt's rules on numbers say to write in C++, applied to operands of stdin.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <numeric>
#include <string>
#include <vector>

using Doubles = std::vector<double>;
using Iterator = Doubles::const_iterator;

double floor_division(double a, double b)
{
  const double m = std::fmod(a, b);
  double q = (a - m) / b;
  if (m != 0 && (m < 0) != (b < 0)) {
    q -= 1;
  }
  if (q == 0) {
    return std::copysign(0.0, a / b);
  }
  double f = std::floor(q);
  if (q - f > 0.5) {
    f += 1;
  }
  return f;
}

double modulo(double a, double b)
{
  const double m = std::fmod(a, b);
  if (m == 0) {
    return std::copysign(0.0, b);
  }
  return (m < 0) != (b < 0) ? m + b : m;
}

std::int64_t floor_division(std::int64_t a, std::int64_t b)
{
  const std::int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

std::int64_t modulo(std::int64_t a, std::int64_t b)
{
  const std::int64_t m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

double from_left_to_right(Iterator begin, Iterator end) { return std::accumulate(begin, end, 0.0); }

double compensated(const Doubles & values)  // Neumaier
{
  double sum = 0, correction = 0;
  for (const double value : values) {
    const double next = sum + value;
    correction += std::fabs(sum) >= std::fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return sum + correction;
}

double pairwise(Iterator begin, Iterator end)
{
  const auto size = end - begin;
  if (size < 8) {
    return from_left_to_right(begin, end);
  }
  if (size <= 128) {
    Doubles r(begin, begin + 8);
    Iterator next = begin + 8;
    for (; end - next >= 8; next += 8) {
      for (int i = 0; i < 8; ++i) {
        r[i] += next[i];
      }
    }
    const double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    return std::accumulate(next, end, sum);
  }
  const Iterator middle = begin + size / 2 - size / 2 % 8;
  return pairwise(begin, middle) + pairwise(middle, end);
}

double pairwise_in_chunks(const Doubles & values)
{
  double sum = 0;
  for (Iterator begin = values.begin(), end; begin != values.end(); begin = end) {
    end = begin + std::min<std::ptrdiff_t>(8192, values.end() - begin);
    sum += pairwise(begin, end);
  }
  return sum;
}

double variance(const Doubles & values)
{
  const double mean = pairwise(values.begin(), values.end()) / values.size();
  Doubles squares;
  for (const double value : values) {
    squares.push_back((value - mean) * (value - mean));
  }
  return pairwise(squares.begin(), squares.end()) / values.size();
}

double rounded_decimal(double value)  // to two digits
{
  char text[400];
  std::snprintf(text, sizeof text, "%.2f", value);
  return std::strtod(text, nullptr);
}

double least(const Doubles & values)
{
  return std::min_element(values.begin(), values.end()) - values.begin();
}

double greatest(const Doubles & values)
{
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// The places of the values in the order of their whole parts.
std::vector<std::size_t> stably_sorted(const Doubles & values)
{
  std::vector<std::size_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return std::trunc(values[a]) < std::trunc(values[b]);
  });
  return places;
}

void print(std::initializer_list<double> values)
{
  for (const double value : values) {
    std::printf("%a ", value);
  }
  std::printf("\n");
}

void integers(std::int64_t a, std::int64_t b)
{
  std::printf(
    "%lld %lld %a %lld %lld %lld %lld %u %d\n", static_cast<long long>(floor_division(a, b)),
    static_cast<long long>(modulo(a, b)), static_cast<double>(a) / static_cast<double>(b),
    static_cast<long long>(a >> 3), static_cast<long long>(a & b), static_cast<long long>(a | b),
    static_cast<long long>(a ^ b),
    static_cast<std::uint8_t>(static_cast<std::uint8_t>(a) * static_cast<std::uint8_t>(b)),
    static_cast<std::int16_t>(
      static_cast<std::uint16_t>(a) * std::uint32_t{static_cast<std::uint16_t>(b)}));
}

void times(std::int64_t a, std::int64_t b)
{
  print({static_cast<double>(a - b) * 1e-9, static_cast<double>(a - b) / 1e9});
}

void pair(double a, double b)
{
  print(
    {floor_division(a, b), modulo(a, b), a / b, std::min(a, b), std::max(a, b), std::nearbyint(a),
     static_cast<double>(!(a < b)), std::fmod(a, b), std::remainder(a, b), std::atan2(a, b),
     std::pow(a, b), std::trunc(a), a * b + b - a * a / 3.0, std::hypot(a, b),
     std::sqrt(a * a + b * b)});
}

void single(double x)
{
  const double y = std::fabs(x), z = std::tanh(x);
  print(
    {std::sin(x),
     std::cos(x),
     std::tan(x),
     std::asin(z),
     std::acos(z),
     std::atan(x),
     std::exp(x / 4),
     std::log(y),
     std::log2(y),
     std::log10(y),
     std::pow(y, 0.3),
     std::sinh(x / 4),
     std::cosh(x / 4),
     z,
     std::sqrt(y),
     std::floor(x),
     std::ceil(x),
     std::trunc(x),
     rounded_decimal(x),
     std::nearbyint(x * 100) / 100,
     static_cast<float>(x) * 0.1f + 1.0f});
}

void many(const Doubles & values)
{
  print(
    {from_left_to_right(values.begin(), values.end()), compensated(values),
     pairwise(values.begin(), values.end()), pairwise_in_chunks(values), variance(values),
     std::sqrt(variance(values)), least(values), greatest(values)});
  for (const std::size_t place : stably_sorted(values)) {
    std::printf("%zu ", place);
  }
  std::printf("\n");
}

int main(int, char ** arguments)
{
  const std::string kind = arguments[1];
  if (kind == "integers" || kind == "times") {
    long long a, b;
    while (std::scanf("%lld %lld", &a, &b) == 2) {
      kind == "times" ? times(a, b) : integers(a, b);
    }
    return 0;
  }
  Doubles values;
  for (double value; std::scanf("%la", &value) == 1;) {
    values.push_back(value);
  }
  if (kind == "many") {
    many(values);
  } else if (kind == "single") {
    std::for_each(values.begin(), values.end(), single);
  } else {
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
      pair(values[i], values[i + 1]);
    }
  }
}

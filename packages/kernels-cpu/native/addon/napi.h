// Shorthand for Node-API: arguments as C++ values, errors as exceptions of JavaScript.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <string>

namespace cria {

constexpr size_t kMaxArgs = 8;

// A call from JavaScript. Arguments come from our own TypeScript, so a wrong type is a bug: it throws a TypeError.
class Args {
 public:
  Args(napi_env env, napi_callback_info info) : env(env) { napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr); }

  napi_env env;
  napi_value at(size_t i) const { return i < count_ && i < kMaxArgs ? values_[i] : nullptr; }
  double number(size_t i) {
    double d = 0;
    if (napi_get_value_double(env, at(i), &d) != napi_ok) fail("a number");
    return d;
  }
  size_t size(size_t i) { return (size_t)number(i); }
  void* address(size_t i) { return (void*)(uintptr_t)number(i); }
  template <class T> T* external(size_t i) {
    void* p = nullptr;
    if (napi_get_value_external(env, at(i), &p) != napi_ok) fail("a handle");
    return (T*)p;
  }
  std::string text(size_t i) {
    size_t n = 0;
    if (napi_get_value_string_utf8(env, at(i), nullptr, 0, &n) != napi_ok) fail("a string");
    std::string s(n, 0);
    napi_get_value_string_utf8(env, at(i), s.data(), n + 1, &n);
    return s;
  }
  // The memory of a typed array, or an address.
  void* bytes(size_t i, size_t* length = nullptr) { return bytes_of(at(i), length); }
  void* bytes_of(napi_value value, size_t* length) {
    bool typed = false;
    napi_is_typedarray(env, value, &typed);
    if (!typed) {
      double d = 0;
      if (napi_get_value_double(env, value, &d) != napi_ok) fail("a typed array or an address");
      if (length != nullptr) *length = SIZE_MAX;
      return (void*)(uintptr_t)d;
    }
    napi_typedarray_type type;
    void* data = nullptr;
    size_t n = 0;
    napi_get_typedarray_info(env, value, &type, &n, &data, nullptr, nullptr);
    if (length != nullptr) *length = n * width(type);
    return data;
  }
  bool failed() const { return failed_; }

 private:
  static size_t width(napi_typedarray_type type) {
    switch (type) {
      case napi_int8_array: case napi_uint8_array: case napi_uint8_clamped_array: return 1;
      case napi_int16_array: case napi_uint16_array: return 2;
      case napi_int32_array: case napi_uint32_array: case napi_float32_array: return 4;
      default: return 8;
    }
  }
  void fail(const char* expected) {
    if (failed_) return;
    failed_ = true;
    napi_throw_type_error(env, "argument", (std::string("kernels-cpu: got another value, expected ") + expected).c_str());
  }

  size_t count_ = kMaxArgs;
  napi_value values_[kMaxArgs] = {};
  bool failed_ = false;
};

inline napi_value js_number(napi_env env, double d) {
  napi_value v;
  napi_create_double(env, d, &v);
  return v;
}
inline napi_value js_text(napi_env env, const char* s) {
  napi_value v;
  napi_create_string_utf8(env, s, NAPI_AUTO_LENGTH, &v);
  return v;
}
inline napi_value js_throw(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

}  // namespace cria

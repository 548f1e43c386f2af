// The addon: what TypeScript calls (src/native.ts). Addresses are JavaScript numbers. A replay is one call here.
#include <cstring>

#include "napi.h"
#include "runtime.h"

namespace cria {
namespace {

// The runtime as JavaScript holds it: `destroy` or the end of the environment ends it, after work under way.
struct Handle {
  std::shared_ptr<Runtime> runtime;
};

struct Compiled {
  std::weak_ptr<Runtime> runtime;
  Program program;
};

void cleanup(void* data) { ((Handle*)data)->runtime.reset(); }

napi_value create(napi_env env, napi_callback_info info) {
  Args args(env, info);
  const std::string wanted = args.text(0);
  const std::vector<int> cores = usable_cores();
  const size_t asked = args.size(1);
  if (args.failed()) return nullptr;
  for (const Isa& isa : usable_isas()) {
    if (!wanted.empty() && wanted != isa.name) continue;
    auto* handle = new Handle{std::make_shared<Runtime>(isa, asked ? (int)asked : (int)cores.size(), cores)};
    napi_add_env_cleanup_hook(env, cleanup, handle);
    napi_value external;
    napi_create_external(
        env, handle,
        [](napi_env e, void* data, void*) {
          napi_remove_env_cleanup_hook(e, cleanup, data);
          delete (Handle*)data;
        },
        nullptr, &external);
    return external;
  }
  std::string names;
  for (const Isa& isa : usable_isas()) names += (names.empty() ? "" : ", ") + std::string(isa.name);
  return js_throw(env, "isa", names);
}

// The live runtime of argument 0, or null with an exception.
Runtime* runtime(Args& args) {
  auto* handle = args.external<Handle>(0);
  if (handle != nullptr && handle->runtime) return handle->runtime.get();
  if (!args.failed()) napi_throw_error(args.env, "disposed", "kernels-cpu: got a runtime after destroy(), expected a live one");
  return nullptr;
}

napi_value destroy(napi_env env, napi_callback_info info) {
  Args args(env, info);
  auto* handle = args.external<Handle>(0);
  if (handle != nullptr) handle->runtime.reset();
  return nullptr;
}

// [instruction set, threads]
napi_value describe(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  if (r == nullptr) return nullptr;
  napi_value list;
  napi_create_array(env, &list);
  napi_set_element(env, list, 0, js_text(env, r->isa.name));
  napi_set_element(env, list, 1, js_number(env, r->threads()));
  return list;
}

// [bytes allocated and mapped, replays]
napi_value stats(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  if (r == nullptr) return nullptr;
  napi_value list;
  napi_create_array(env, &list);
  napi_set_element(env, list, 0, js_number(env, (double)r->memory.live_bytes()));
  napi_set_element(env, list, 1, js_number(env, (double)r->replays));
  return list;
}

napi_value alloc(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  const size_t bytes = args.size(1);
  if (r == nullptr || args.failed()) return nullptr;
  return js_number(env, (double)(uintptr_t)r->memory.alloc(bytes));
}

napi_value release(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  void* at = args.address(1);
  if (r == nullptr || args.failed()) return nullptr;
  r->settle();
  r->memory.release(at);
  return nullptr;
}

// map(runtime, path, offset, bytes): address
napi_value map(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  const std::string path = args.text(1);
  const double offset = args.number(2);
  const size_t bytes = args.size(3);
  if (r == nullptr || args.failed()) return nullptr;
  std::string error;
  void* at = r->memory.map(path, (uint64_t)offset, bytes, error);
  return at == nullptr ? js_throw(env, "file", error) : js_number(env, (double)(uintptr_t)at);
}

// copy(runtime, to, from, bytes): each side an address or a typed array
napi_value copy(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  size_t room = 0, given = 0;
  void *to = args.bytes(1, &room), *from = args.bytes(2, &given);
  const size_t bytes = args.size(3);
  if (r == nullptr || args.failed()) return nullptr;
  if (bytes > room || bytes > given) return js_throw(env, "argument", "kernels-cpu: got a shorter array than the bytes to copy");
  r->settle();
  memmove(to, from, bytes);
  return nullptr;
}

// pack(runtime, unpack?, dtype, to, from, rows, cols), whole matrices, by all threads
napi_value pack_matrix(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  const bool back = args.number(1) != 0;
  const Dtype dtype = (Dtype)args.size(2);
  void *to = args.bytes(3), *from = args.bytes(4);
  const size_t rows = args.size(5), cols = args.size(6);
  if (r == nullptr || args.failed()) return nullptr;
  r->in_turn(r->ticket(), [&] {
    r->parallel([&](int thread, int n) {
      const size_t groups = (rows + kGroupRows - 1) / kGroupRows;
      const size_t begin = groups * (size_t)thread / (size_t)n * kGroupRows;
      size_t end = groups * ((size_t)thread + 1) / (size_t)n * kGroupRows;
      if (end > rows) end = rows;
      if (begin < end) (back ? unpack : pack)(dtype, to, from, rows, cols, begin, end);
    });
  });
  return nullptr;
}

// measure(runtime, what, a, b, c, d, e): sizes that the matrix kernels decide
napi_value measure(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  const std::string what = args.text(1);
  size_t v[5] = {};
  for (size_t i = 0; i < 5; i++) if (args.at(2 + i) != nullptr) v[i] = args.size(2 + i);
  if (r == nullptr || args.failed()) return nullptr;
  const LinearKernels& k = *r->isa.linear;
  size_t answer = 0;
  if (what == "packed") answer = packed_bytes((Dtype)v[0], v[1], v[2]);
  else if (what == "kind") answer = k.activation_kind((Dtype)v[0], (uint32_t)v[1]);
  else if (what == "activations") answer = k.activation_bytes((ActivationKind)v[0], v[1], v[2]);
  else if (what == "linear") answer = k.linear_thread_bytes((Dtype)v[0], (uint32_t)v[1], v[2], v[3], v[4]);
  else if (what == "matmul") answer = k.matmul_thread_bytes();
  return js_number(env, (double)answer);
}

// execute(runtime, words, scratch bytes of a thread)
napi_value execute(napi_env env, napi_callback_info info) {
  Args args(env, info);
  Runtime* r = runtime(args);
  size_t bytes = 0;
  const auto* words = (const int32_t*)args.bytes(1, &bytes);
  const size_t scratch = args.size(2);
  if (r == nullptr || args.failed()) return nullptr;
  if (!r->reserve(scratch)) return js_throw(env, "memory", "kernels-cpu: no memory for scratch space");
  r->in_turn(r->ticket(), [&] { r->execute(words, bytes / 4); });
  return nullptr;
}

// compile(runtime, words, [address, bytes, …] of the inputs, scratch bytes of a thread)
napi_value compile(napi_env env, napi_callback_info info) {
  Args args(env, info);
  auto* handle = args.external<Handle>(0);
  Runtime* r = runtime(args);
  size_t bytes = 0, input_bytes = 0;
  const auto* words = (const int32_t*)args.bytes(1, &bytes);
  const auto* inputs = (const double*)args.bytes(2, &input_bytes);
  const size_t scratch = args.size(3);
  if (r == nullptr || args.failed()) return nullptr;
  if (!r->reserve(scratch)) return js_throw(env, "memory", "kernels-cpu: no memory for scratch space");
  auto* compiled = new Compiled{handle->runtime, {}};
  compiled->program.words.assign(words, words + bytes / 4);
  for (size_t i = 0; i + 1 < input_bytes / 8; i += 2) {
    compiled->program.inputs.push_back({(void*)(uintptr_t)inputs[i], (size_t)inputs[i + 1]});
  }
  napi_value external;
  napi_create_external(env, compiled, [](napi_env, void* data, void*) { delete (Compiled*)data; }, nullptr, &external);
  return external;
}

struct Replay {
  std::shared_ptr<Runtime> runtime;
  const Program* program;
  uint64_t ticket;
  napi_deferred deferred;
  napi_async_work work;
  napi_ref keep;  // the program must outlive the work
};

void run_replay(napi_env, void* data) {
  auto* job = (Replay*)data;
  job->runtime->in_turn(job->ticket, [&] { job->runtime->execute(job->program->words.data(), job->program->words.size()); });
}

void finish_replay(napi_env env, napi_status, void* data) {
  auto* job = (Replay*)data;
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  napi_resolve_deferred(env, job->deferred, nothing);
  napi_delete_reference(env, job->keep);
  napi_delete_async_work(env, job->work);
  delete job;
}

// replay(program, off the event loop?, inputs): undefined, or a promise
napi_value replay(napi_env env, napi_callback_info info) {
  Args args(env, info);
  auto* compiled = args.external<Compiled>(0);
  bool away = false;
  napi_get_value_bool(env, args.at(1), &away);
  if (args.failed()) return nullptr;
  const std::shared_ptr<Runtime> r = compiled->runtime.lock();
  if (!r) return js_throw(env, "disposed", "kernels-cpu: got a program after destroy(), expected a live runtime");
  Program& program = compiled->program;
  bool settled = false;
  for (size_t i = 0; i < program.inputs.size(); i++) {
    napi_value value;
    napi_get_element(env, args.at(2), (uint32_t)i, &value);
    size_t length = 0;
    const void* from = args.bytes_of(value, &length);
    if (args.failed()) return nullptr;
    if (length < program.inputs[i].bytes) return js_throw(env, "argument", "kernels-cpu: got a shorter input than compiled for");
    // The input is another tensor: work under way may still write it.
    if (length == SIZE_MAX && !settled) {
      r->settle();
      settled = true;
    }
    memcpy(program.inputs[i].at, from, program.inputs[i].bytes);
  }
  r->replays++;
  if (!away) {
    r->in_turn(r->ticket(), [&] { r->execute(program.words.data(), program.words.size()); });
    return nullptr;
  }
  auto* job = new Replay{r, &program, 0, nullptr, nullptr, nullptr};
  napi_value promise;
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_reference(env, args.at(0), 1, &job->keep);
  napi_create_async_work(env, nullptr, js_text(env, "cria"), run_replay, finish_replay, job, &job->work);
  job->ticket = r->ticket();
  if (napi_queue_async_work(env, job->work) != napi_ok) {
    r->in_turn(job->ticket, [] {});
    return js_throw(env, "queue", "kernels-cpu: the event loop takes no more work");
  }
  return promise;
}

// times(program): nanoseconds waited and worked in each call of the last replay, as [waited, worked, …]
napi_value times(napi_env env, napi_callback_info info) {
  Args args(env, info);
  auto* compiled = args.external<Compiled>(0);
  if (args.failed()) return nullptr;
  if (const std::shared_ptr<Runtime> r = compiled->runtime.lock()) r->settle();
  const std::vector<int32_t>& words = compiled->program.words;
  napi_value list;
  napi_create_array(env, &list);
  uint32_t i = 0;
  for (size_t at = 0; at < words.size();) {
    const Call& call = *(const Call*)(words.data() + at);
    napi_set_element(env, list, i++, js_number(env, call.waited));
    napi_set_element(env, list, i++, js_number(env, call.worked));
    at += (size_t)call.words;
  }
  return list;
}

napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
#define CRIA_EXPORT(name, fn) {name, nullptr, fn, nullptr, nullptr, nullptr, napi_default, nullptr}
      CRIA_EXPORT("create", create),   CRIA_EXPORT("destroy", destroy), CRIA_EXPORT("describe", describe),
      CRIA_EXPORT("stats", stats),     CRIA_EXPORT("alloc", alloc),     CRIA_EXPORT("release", release),
      CRIA_EXPORT("map", map),         CRIA_EXPORT("copy", copy),       CRIA_EXPORT("pack", pack_matrix),
      CRIA_EXPORT("measure", measure), CRIA_EXPORT("execute", execute), CRIA_EXPORT("compile", compile),
      CRIA_EXPORT("replay", replay),   CRIA_EXPORT("times", times),
#undef CRIA_EXPORT
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}

}  // namespace
}  // namespace cria

NAPI_MODULE_INIT() { return cria::init(env, exports); }

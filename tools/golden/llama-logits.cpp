// Prints llama.cpp's log-probabilities for given token ids: the reference behind `cria logits`. Not part of Cria's build.
//
//   llama-logits MODEL.gguf 1,2,3 [--top N] [--all] [--greedy N] [--threads N] [--kv f16|f32] [--flash-attn] [--no-repack]
//   llama-logits MODEL.gguf @FILE …      one comma-separated list a line; one JSON object a line comes back
//
// {"tokens":[…],"logprobs":[[id,logprob],…]} for the next position, likeliest first (all tokens unless --top);
// --all adds "positions": every position's log-probabilities in the order of ids; --greedy adds "greedy": N next ids.
//
//   g++ -O2 -std=c++17 -I$LLAMA/include -I$LLAMA/ggml/include llama-logits.cpp -o llama-logits
//     -L$LLAMA/build/bin -lllama -lggml -lggml-cpu -lggml-base -Wl,-rpath,$LLAMA/build/bin
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "llama.h"

using Ids = std::vector<llama_token>;

[[noreturn]] static void fail(const std::string &why) {
  fprintf(stderr, "llama-logits: %s\n", why.c_str());
  exit(1);
}

static std::vector<float> log_softmax(const float *logits, int n) {
  const double top = *std::max_element(logits, logits + n);
  double sum = 0;
  for (int i = 0; i < n; i++) sum += std::exp(logits[i] - top);
  std::vector<float> out(n);
  for (int i = 0; i < n; i++) out[i] = float(logits[i] - top - std::log(sum));
  return out;
}

static void decode(llama_context *ctx, const Ids &ids, int position, bool all) {
  llama_batch batch = llama_batch_init(int(ids.size()), 0, 1);
  batch.n_tokens = int(ids.size());
  for (size_t i = 0; i < ids.size(); i++) {
    batch.token[i] = ids[i];
    batch.pos[i] = position + int(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = all || i + 1 == ids.size();
  }
  if (llama_decode(ctx, batch)) fail("llama_decode failed");
  llama_batch_free(batch);
}

static void print_ids(const char *name, const Ids &ids) {
  printf("\"%s\":[", name);
  for (size_t i = 0; i < ids.size(); i++) printf("%s%d", i ? "," : "", ids[i]);
  printf("]");
}

int main(int argc, char **argv) {
  if (argc < 3) fail("usage: llama-logits MODEL.gguf 1,2,3|@FILE [--top N] [--all] [--greedy N] [--threads N] [--kv f16|f32] [--flash-attn] [--no-repack]");
  bool all = false, flash = false;
  int top = 0, greedy = 0, threads = 1;
  ggml_type kv = GGML_TYPE_F16;
  auto model_params = llama_model_default_params();
  model_params.n_gpu_layers = 0;
  for (int i = 3; i < argc; i++) {
    const std::string a = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : (fail(a + " needs a value"), std::string()); };
    if (a == "--all") all = true;
    else if (a == "--flash-attn") flash = true;
    else if (a == "--no-repack") model_params.use_extra_bufts = false;
    else if (a == "--top") top = std::stoi(value());
    else if (a == "--greedy") greedy = std::stoi(value());
    else if (a == "--threads") threads = std::stoi(value());
    else if (a == "--kv") kv = value() == "f32" ? GGML_TYPE_F32 : GGML_TYPE_F16;
    else fail("unknown option " + a);
  }

  std::vector<Ids> sequences;
  const auto parse = [&](const std::string &line) {
    std::stringstream in(line);
    Ids ids;
    for (std::string part; std::getline(in, part, ',');) ids.push_back(std::stoi(part));
    if (!ids.empty()) sequences.push_back(ids);
  };
  if (argv[2][0] == '@') {
    std::ifstream file(argv[2] + 1);
    for (std::string line; std::getline(file, line);) parse(line);
  } else {
    parse(argv[2]);
  }
  size_t longest = 8;
  for (const auto &ids : sequences) longest = std::max(longest, ids.size());

  llama_log_set([](ggml_log_level level, const char *text, void *) { if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
  llama_backend_init();
  llama_model *model = llama_model_load_from_file(argv[1], model_params);
  if (!model) fail(std::string("cannot load ") + argv[1]);
  const llama_vocab *vocab = llama_model_get_vocab(model);
  const int n = llama_vocab_n_tokens(vocab);
  auto params = llama_context_default_params();
  params.n_ctx = uint32_t(longest + greedy + 8);
  params.n_batch = params.n_ubatch = uint32_t(longest);
  params.n_threads = params.n_threads_batch = threads;
  params.type_k = params.type_v = kv;
  params.flash_attn_type = flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  llama_context *ctx = llama_init_from_model(model, params);
  if (!ctx) fail("cannot make a context");

  for (const auto &ids : sequences) {
    for (const auto id : ids) if (id < 0 || id >= n) fail("token " + std::to_string(id) + " is not below " + std::to_string(n));
    llama_memory_clear(llama_get_memory(ctx), true);
    decode(ctx, ids, 0, all);
    printf("{");
    print_ids("tokens", ids);
    if (all) {
      printf(",\"positions\":[");
      for (size_t i = 0; i < ids.size(); i++) {
        const auto values = log_softmax(llama_get_logits_ith(ctx, int(i)), n);
        for (int j = 0; j < n; j++) printf("%s%.7g", j ? "," : i ? ",[" : "[", values[j]);
        printf("]");
      }
      printf("]");
    }
    const auto values = log_softmax(llama_get_logits_ith(ctx, int(ids.size()) - 1), n);
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values[a] > values[b]; });
    printf(",\"logprobs\":[");
    for (int i = 0; i < (top > 0 ? std::min(top, n) : n); i++) printf("%s[%d,%.7g]", i ? "," : "", order[i], values[order[i]]);
    printf("]");
    if (greedy > 0) {
      Ids out = {order[0]};
      while (int(out.size()) < greedy && !llama_vocab_is_eog(vocab, out.back())) {
        decode(ctx, {out.back()}, int(ids.size() + out.size()) - 1, false);
        const float *logits = llama_get_logits_ith(ctx, -1);
        out.push_back(llama_token(std::max_element(logits, logits + n) - logits));
      }
      printf(",");
      print_ids("greedy", out);
    }
    printf("}\n");
  }
  llama_free(ctx);
  llama_model_free(model);
}

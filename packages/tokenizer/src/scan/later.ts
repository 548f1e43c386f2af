// Hugging Face's tokenizers 0.23 and tiktoken 0.14 split by Unicode 16; what an engine knows beyond it has no class here.

/** Letters, marks, numbers and punctuation that Unicode 17 added, in ranges over nothing that Unicode 16 has. */
export const LATER: RegExp =
  /[\u1acf-\u1aeb\u088f\u0c5c\u0cdc\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1\u{10940}-\u{10959}\u{10ec5}-\u{10efb}\u{11b60}-\u{11b67}\u{11db0}-\u{11de9}\u{16ea0}-\u{16ed3}\u{16ff2}-\u{16ff6}\u{187f8}-\u{187ff}\u{18d09}-\u{18df2}\u{1e6c0}-\u{1e6ff}\u{2b73a}-\u{2b73f}\u{2cea2}-\u{2cead}\u{323b0}-\u{33479}]/u

/** What may stand between the quotes of a JSON string, for strings without a pattern. */
import { alt, chars, cls, type Expr, seq, text } from './expr.js'
import { RAW } from './lower.js'

const HEX: Expr = cls([48, 57], [65, 70], [97, 102])
/** One character of a JSON string: raw, escaped, or as \u with its surrogate. */
export const JSON_CHAR: Expr = alt(
  { kind: 'class', ranges: RAW },
  seq(
    text('\\'),
    alt(
      chars('"\\/bfnrt'),
      seq(
        text('u'),
        alt(
          seq(cls([48, 57], [65, 67], [69, 70], [97, 99], [101, 102]), HEX, HEX, HEX),
          seq(chars('dD'), cls([48, 55]), HEX, HEX),
          seq(chars('dD'), chars('89abAB'), HEX, HEX, text('\\u'), chars('dD'), chars('cdefCDEF'), HEX, HEX),
        ),
      ),
    ),
  ),
)

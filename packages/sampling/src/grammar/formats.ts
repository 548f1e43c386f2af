/** String formats of JSON Schema as regular expressions over the whole text. */
const DATE: string =
  '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))' +
  '|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)'
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)'
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const H = '[0-9a-fA-F]{1,4}'
const IPV6: string = [
  `(?:${H}:){7}${H}`,
  ...Array.from({ length: 7 }, (_, n) => `(?:${H}:){1,${n + 1}}${n === 6 ? ':' : `(?::${H}){1,${6 - n}}`}`),
  `:(?:(?::${H}){1,7}|:)`,
].join('|')
/** Letters and signs beyond ASCII, without what is private or no character. */
const BEYOND =
  '\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}\\u{10000}-\\u{1fffd}\\u{20000}-\\u{2fffd}\\u{30000}-\\u{3fffd}'
const EMAIL_NAME = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]"
const EMAIL_HOST: string = `@${LABEL}(?:\\.${LABEL})*\\.[a-zA-Z]{2,24}`
const POINTER = '(?:/(?:[^~/]|~[01])*)*'

/** RFC 3986, and RFC 3987 where `more` names characters beyond ASCII. */
function uris(more: string): { readonly absolute: string; readonly relative: string } {
  const percent = '%[0-9a-fA-F]{2}'
  const plain = `a-zA-Z0-9._~!$&'()*+,;=${more}`
  const char = `(?:[${plain}:@-]|${percent})`
  const host = `(?:\\[(?:${IPV6})\\]|(?:[${plain}-]|${percent})*)`
  const authority = `(?:(?:[${plain}:-]|${percent})*@)?${host}(?::\\d*)?`
  const end = `(?:\\?(?:${char}|[/?])*)?(?:#(?:${char}|[/?])*)?`
  const rooted = `//${authority}(?:/${char}*)*|/(?:${char}+(?:/${char}*)*)?`
  return {
    absolute: `[a-zA-Z][a-zA-Z0-9+.-]*:(?:${rooted}|${char}+(?:/${char}*)*)?${end}`,
    relative: `(?:${rooted}|(?:[${plain}@-]|${percent})+(?:/${char}*)*)?${end}`,
  }
}
const URI: ReturnType<typeof uris> = /* @__PURE__ */ uris('')
const IRI: ReturnType<typeof uris> = /* @__PURE__ */ uris(BEYOND)
/** RFC 6570. */
const VARIABLE = '(?:\\w|%[0-9a-fA-F]{2})(?:\\.?(?:\\w|%[0-9a-fA-F]{2}))*(?::[1-9]\\d{0,3}|\\*)?'
const TEMPLATE: string = `(?:[!#$&(-;=?-\\[\\]_a-z~${BEYOND}]|%[0-9a-fA-F]{2}|\\{[+#./;?&]?${VARIABLE}(?:,${VARIABLE})*\\})*`
const DURATION: string =
  'P(?:\\d+W|(?:\\d+Y(?:\\d+M(?:\\d+D)?)?|\\d+M(?:\\d+D)?|\\d+D)(?:T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))?' +
  '|T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))'

export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  duration: DURATION,
  email: `${EMAIL_NAME}+(?:\\.${EMAIL_NAME}+)*${EMAIL_HOST}`,
  'idn-email': `(?:${EMAIL_NAME}|[${BEYOND}])+(?:\\.(?:${EMAIL_NAME}|[${BEYOND}])+)*${EMAIL_HOST}`,
  hostname: `${LABEL}(?:\\.${LABEL})*`,
  ipv4: `${BYTE}(?:\\.${BYTE}){3}`,
  ipv6: `(?:${IPV6})`,
  uuid: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
  uri: URI.absolute,
  'uri-reference': `(?:${URI.absolute}|${URI.relative})`,
  'uri-template': TEMPLATE,
  iri: IRI.absolute,
  'iri-reference': `(?:${IRI.absolute}|${IRI.relative})`,
  'json-pointer': POINTER,
  'relative-json-pointer': `(?:0|[1-9]\\d*)(?:#|${POINTER})`,
}

/** OpenAPI's integers: from the first number to just below the second. */
export const INTEGER_FORMATS: Readonly<Record<string, readonly [low: number, below: number]>> = {
  int8: [-(2 ** 7), 2 ** 7],
  int16: [-(2 ** 15), 2 ** 15],
  int32: [-(2 ** 31), 2 ** 31],
  int64: [-(2 ** 63), 2 ** 63],
  uint8: [0, 2 ** 8],
  uint16: [0, 2 ** 16],
  uint32: [0, 2 ** 32],
  uint64: [0, 2 ** 64],
}

/** Formats that say how a value is meant, not how it is written. */
export const ANNOTATIONS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'float',
  'double',
  'password',
  'byte',
  'binary',
])

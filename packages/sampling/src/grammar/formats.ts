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
const URI_CHARS = "[a-zA-Z0-9._~!$&'()*+,;=:@%/?#\\[\\]-]"
const DURATION: string =
  'P(?:\\d+W|(?:\\d+Y(?:\\d+M(?:\\d+D)?)?|\\d+M(?:\\d+D)?|\\d+D)(?:T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))?' +
  '|T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))'

export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  duration: DURATION,
  email: `[a-zA-Z0-9!#$%&'*+/=?^_\`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_\`{|}~-]+)*@[a-zA-Z0-9-]{1,63}(?:\\.[a-zA-Z0-9-]{1,63})*\\.[a-zA-Z]{2,24}`,
  hostname: `${LABEL.replace('{0,61}', '*')}(?:\\.${LABEL.replace('{0,61}', '*')})*`,
  ipv4: `${BYTE}(?:\\.${BYTE}){3}`,
  ipv6: `(?:${IPV6})`,
  uuid: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
  uri: `[a-zA-Z][a-zA-Z0-9+.-]*:${URI_CHARS}+`,
  'uri-reference': `${URI_CHARS}*`,
  'json-pointer': '(?:/(?:[^~/]|~[01])*)*',
}

/** Formats that say how a value is meant, not how it is written. */
export const ANNOTATIONS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'int32',
  'int64',
  'float',
  'double',
  'password',
  'byte',
  'binary',
  'regex',
  'iri',
  'iri-reference',
  'uri-template',
  'idn-email',
  'idn-hostname',
  'relative-json-pointer',
])
